/** Names and words come from strangers: no control characters reach the terminal. */
export function sanitise(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, ' ');
}
