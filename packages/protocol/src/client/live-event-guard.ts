import type { CaptionTiming, LiveEvent } from '../live.ts';
import type { Segment } from '../segment.ts';

/**
 * What came of the data of one event. Newer servers have types and fields that this client does not know: an unknown
 * type is told and passed over, further fields are left alone.
 */
export type ReadEvent =
  | { event: LiveEvent }
  | { event: null; type: string; reason: 'type' | 'shape' | 'json' };

type Check = (value: unknown) => boolean;
type Shape<T> = { readonly [K in keyof T]-?: Check };
type Fields<K extends LiveEvent['type']> = Omit<Extract<LiveEvent, { type: K }>, 'type'>;

const isText: Check = (value) => typeof value === 'string';
const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value);
const isLength: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;
const isBoolean: Check = (value) => typeof value === 'boolean';
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

/**
 * The schemas in plain checks: a page that shows captions is not to load a whole validator for it. A test holds them
 * against the schemas.
 */
const segmentShape: Shape<Segment> = {
  id: isText,
  sessionId: isText,
  room: isText,
  trackId: isText,
  identity: isText,
  speaker: isText,
  revision: isLength,
  isFinal: isBoolean,
  text: isText,
  stableLength: isLength,
  startMs: isNumber,
  endMs: isNumber,
  startedAt: isNumber,
  confidence: (value) => value === null || isNumber(value),
  language: isText,
  words: optional(Array.isArray),
  original: optional((value) => typeof value === 'object' && value !== null),
};

const timingShape: Shape<CaptionTiming> = { engineMs: isNumber, sentAt: isNumber };

const place = { sessionId: isText, room: isText };
const standing = { state: isText, reason: isText, retryAt: optional(isNumber) };
const eventShapes: { readonly [K in LiveEvent['type']]: Shape<Fields<K>> } = {
  segment: {
    segment: (value) => hasShape(value, segmentShape),
    timing: optional((value) => hasShape(value, timingShape)),
  },
  session: { ...place, status: isText, reason: isText, queuePosition: optional(isNumber) },
  captions: { ...place, trackId: isText, identity: isText, ...standing },
  'room-captions': { ...place, ...standing },
  speaker: { ...place, identity: isText, name: isText },
  room: { room: isText, status: isText, reason: isText, queuePosition: optional(isNumber) },
  resync: { sessionId: isText, reason: isText },
};

function hasShape(value: unknown, shape: Readonly<Record<string, Check>>): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(shape).every(([name, check]) => check(Reflect.get(value, name)));
}

/** Reads the data of one event of a live feed. Never throws. */
export function readLiveEvent(data: string, sseType: string): ReadEvent {
  const value = parsed(data);
  if (typeof value !== 'object' || value === null) return { event: null, type: sseType, reason: 'json' };
  const type: unknown = Reflect.get(value, 'type');
  if (typeof type !== 'string') return { event: null, type: sseType, reason: 'shape' };
  if (!Object.hasOwn(eventShapes, type)) return { event: null, type, reason: 'type' };
  const isGood = hasShape(value, eventShapes[type as LiveEvent['type']]);
  return isGood ? { event: value as LiveEvent } : { event: null, type, reason: 'shape' };
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return undefined; // The caller says that it is no JSON.
  }
}
