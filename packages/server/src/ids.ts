import { randomBytes } from 'node:crypto';

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** Prefixes of the ids that users see. */
export type IdPrefix = 'ses' | 'agt' | 'seg' | 'trk' | 'dem' | 'key' | 'evt' | 'web';

let lastMs = 0;
let counter = 0;

/**
 * A prefixed id that sorts by the time it was made: 10 characters of milliseconds, 3 of a counter within the
 * millisecond, 10 random (50 bits), in Crockford's base 32.
 */
export function newId<P extends IdPrefix>(prefix: P, nowMs: number = Date.now()): `${P}_${string}` {
  const ms = Math.max(nowMs, lastMs);
  counter = ms === lastMs ? counter + 1 : 0;
  lastMs = ms;
  let random = '';
  for (const byte of randomBytes(10)) random += alphabet[byte & 31];
  return `${prefix}_${base32(ms, 10)}${base32(counter, 3)}${random}`;
}

function base32(value: number, length: number): string {
  let rest = value;
  let text = '';
  for (let i = 0; i < length; i++) {
    text = alphabet[rest % 32] + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}
