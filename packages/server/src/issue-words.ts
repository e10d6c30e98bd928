const typeMismatch = /^Invalid input: expected (.+), received (.+)$/;

/** What zod says about a value, in words for people who have never heard of zod. Other messages stay as they are. */
export function issueWords(message: string): string {
  const [, expected = '', received] = typeMismatch.exec(message) ?? [];
  if (received === undefined) return message;
  if (received === 'undefined') return 'is missing';
  return `has to be ${/^[aeiou]/.test(expected) ? 'an' : 'a'} ${expected}, not ${received}`;
}
