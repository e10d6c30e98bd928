/** Times in the reader's zone and language. */
const timeFormat = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const clockFormat = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const dayTimeFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const dayFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const ordinalRules = new Intl.PluralRules('en', { type: 'ordinal' });
const ordinalEndings: Record<string, string> = { one: 'st', two: 'nd', few: 'rd', other: 'th' };

/** `14:03:27` */
export const clockTime = (at: number): string => clockFormat.format(at);
/** `14:03` */
export const timeOfDay = (at: number): string => timeFormat.format(at);
/** `24 Nov 2026, 14:03` */
export const dayAndTime = (at: number): string => dayTimeFormat.format(at);

/** `24 Nov 2026` */
export const dayOf = (at: number): string => dayFormat.format(at);

/** `820 ms`, `1.4 s`, `12 s` */
export function milliseconds(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  return `${ms < 10_000 ? Number((ms / 1_000).toFixed(1)) : Math.round(ms / 1_000)} s`;
}

/** `512 MB` */
export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_048_576).toLocaleString()} MB`;
}

/** `3:07` or `1:02:09`: a length, or a place in a recording. */
export function duration(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes, seconds] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  const padded = (value: number) => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${padded(minutes)}:${padded(seconds)}` : `${minutes}:${padded(seconds)}`;
}

/** `42 s`, `7 min`, `2 h 5 min`: a length in words. */
export function roughly(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60;
  return rest === 0 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 60)} h ${rest} min`;
}

/** `1st`, `2nd`, `11th` */
export function ordinal(value: number): string {
  return `${value}${ordinalEndings[ordinalRules.select(value)] ?? 'th'}`;
}

// Control characters but tab and line feed, and the marks that turn the direction of text around.
const misleading = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** Text of strangers without what would make it look like something else. Browsers find its direction themselves. */
export function legible(text: string): string {
  return text.replace(misleading, (mark) => (mark === '\n' || mark === '\t' ? mark : ''));
}
