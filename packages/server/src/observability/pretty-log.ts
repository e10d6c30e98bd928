const colours: Record<string, number> = { debug: 90, info: 36, warn: 33, error: 31 };
/** Fields that stand elsewhere on the line. */
const placed = new Set(['level', 'time', 'msg', 'pid', 'hostname', 'err']);

/** One JSON log line as a person reads it: time, level, message, fields, and the stack of an error below. */
export function prettyLine(line: string, useColour: boolean): string {
  const parsed: unknown = JSON.parse(line);
  if (typeof parsed !== 'object' || parsed === null) return line;
  const fields = new Map<string, unknown>(Object.entries(parsed));
  const paint = (code: number, text: string) => (useColour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const level = String(fields.get('level'));
  const time = new Date(Number(fields.get('time'))).toTimeString().slice(0, 8);
  const rest = [...fields]
    .filter(([key]) => !placed.has(key))
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
  const head = `${paint(90, time)} ${paint(colours[level] ?? 0, level.padEnd(5))} ${fields.get('msg') ?? ''}`;
  return `${head}${rest && ` ${paint(90, rest)}`}${errorLines(fields.get('err'))}\n`;
}

function errorLines(err: unknown): string {
  if (typeof err !== 'object' || err === null) return '';
  const text = String(Reflect.get(err, 'stack') ?? Reflect.get(err, 'message') ?? '');
  const lines = text.split('\n').map((line) => `\n    ${line}`);
  return lines.join('') + errorLines(Reflect.get(err, 'cause'));
}
