const typeMismatch = /^Invalid input: expected (.+), received (.+)$/;
const notAmong = /^Invalid option: expected one of (.+)$/;
const outOfRange = /^Too (?:small|big): expected \w+ to be (>=|<=|>|<)(\S+)$/;
const bounds: Record<string, string> = {
  '>=': 'at least',
  '<=': 'at most',
  '>': 'more than',
  '<': 'less than',
};

/** What zod says about a value, in words for people who have never heard of zod. Other messages stay as they are. */
export function issueWords(message: string): string {
  const choices = notAmong.exec(message)?.[1];
  if (choices !== undefined) return `has to be one of ${choices.replaceAll('"', '').replaceAll('|', ', ')}`;
  const [, sign = '', limit] = outOfRange.exec(message) ?? [];
  if (limit !== undefined) return `has to be ${bounds[sign]} ${limit}`;
  const [, expected = '', received] = typeMismatch.exec(message) ?? [];
  if (received === undefined) return message;
  if (received === 'undefined') return 'is missing';
  return `has to be ${/^[aeiou]/.test(expected) ? 'an' : 'a'} ${expected}, not ${received}`;
}
