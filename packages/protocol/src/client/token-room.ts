/**
 * The room that a LiveKit access token is for, unverified: the server verifies it. Null for an API key, and for a token
 * that names no room.
 */
export function roomOfToken(token: string): string | null {
  const [, payload, signature] = token.split('.');
  if (payload === undefined || signature === undefined) return null;
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), (letter) =>
      letter.charCodeAt(0),
    );
    const claims = JSON.parse(new TextDecoder().decode(bytes)) as { video?: { room?: unknown } } | null;
    const room = claims?.video?.room;
    return typeof room === 'string' && room !== '' ? room : null;
  } catch {
    return null; // Not a token: what it is good for, the server will say.
  }
}
