/** What takes the place of a value that must not be in a log. */
export const redacted = '[redacted]';

const secretKey = /secret|token|passw|authorization|cookie|credential|api_?-?keys?$/i;
/** What people said and who they are. */
const personalKey = /^(text|transcript|words|identity|speaker|participantName)$/i;
const maxDepth = 6;

/** A copy of log fields without secrets, transcript text and identities, wherever they are nested. */
export function redactFields(fields: Record<string, unknown>): Record<string, unknown> {
  return redactObject(fields, 0);
}

function redactObject(object: object, depth: number): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(object)) {
    copy[key] = secretKey.test(key) || personalKey.test(key) ? redacted : redactValue(value, depth + 1);
  }
  return copy;
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > maxDepth) return '[too deep]';
  if (value instanceof Error) return describeError(value, depth);
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth + 1));
  if (value instanceof Date) return value;
  return redactObject(value, depth);
}

/** Passwords in URLs, and access tokens, also when they stand within a longer text. */
export function redactText(text: string): string {
  return text
    .replace(/(\w:\/\/[^:/@\s]*):[^@/\s]+@/g, `$1:${redacted}@`)
    .replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, redacted);
}

/** An error as log lines show it. */
function describeError(error: Error, depth: number): Record<string, unknown> {
  const code: unknown = Reflect.get(error, 'code');
  return {
    type: error.name,
    message: redactText(error.message),
    ...(code !== undefined && { code }),
    ...(error.stack && { stack: redactText(error.stack) }),
    ...(error.cause !== undefined && { cause: redactValue(error.cause, depth + 1) }),
  };
}
