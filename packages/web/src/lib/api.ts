import { ApiError, apiErrorOf } from '@dialoglens/protocol';
import { serverLink } from './server-link.ts';
import { goToSignIn } from './sign-in.ts';

export { ApiError };

/** Reads JSON. @throws ApiError */
export function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  return call<T>(path, signal ? { signal } : {});
}

/** Sends JSON, or nothing, and reads the answer. @throws ApiError */
export function postJson<T>(path: string, body?: unknown): Promise<T> {
  return sendJson<T>('POST', path, body);
}

/** Changes something. @throws ApiError */
export function patchJson<T>(path: string, body: unknown): Promise<T> {
  return sendJson<T>('PATCH', path, body);
}

function sendJson<T>(method: string, path: string, body: unknown): Promise<T> {
  if (body === undefined) return call<T>(path, { method });
  const headers = { 'content-type': 'application/json' };
  return call<T>(path, { method, headers, body: JSON.stringify(body) });
}

/** Removes something and reads the answer. @throws ApiError */
export function deleteJson<T>(path: string): Promise<T> {
  return call<T>(path, { method: 'DELETE' });
}

async function call<T>(path: string, init: RequestInit): Promise<T> {
  const response = await reach(path, init);
  if (response.ok) return (await response.json()) as T;
  throw await refusalOf(response);
}

/** What the server said. Whoever is not known to it, or not any more, is led to the sign-in. */
async function refusalOf(response: Response): Promise<ApiError> {
  if (response.status === 401) goToSignIn();
  return apiErrorOf(response);
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    const response = await fetch(path, init);
    serverLink.reached();
    return response;
  } catch (thrown) {
    if (init.signal?.aborted) throw thrown;
    serverLink.lost();
    throw new ApiError(0, null);
  }
}

/** What went wrong, and what to do about it where the server has said so. */
export function faultText(error: Error): string {
  const remedy = error instanceof ApiError ? error.problem?.remedy : undefined;
  return remedy ? `${error.message} ${remedy}` : error.message;
}

/** The API's address of something that concerns one room. */
export function roomApi(room: string, rest = ''): string {
  return `/api/rooms/${encodeURIComponent(room)}${rest}`;
}

/** The API's address of something that concerns one session. */
export function sessionApi(id: string, rest = ''): string {
  return `/api/sessions/${encodeURIComponent(id)}${rest}`;
}
