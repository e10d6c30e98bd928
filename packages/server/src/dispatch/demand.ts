import { languageSchema, roomMetadataSchema } from '@dialoglens/protocol';
import type { Demand } from '../store/store.ts';

/** Largest room metadata that is read, bytes of UTF-8. LiveKit allows 512 KiB; a wish needs a hundred bytes. */
export const maxMetadataBytes = 64 * 1024;
/** Deepest nesting of objects and arrays that is read. */
export const maxMetadataDepth = 16;

/** What room metadata asks for. */
export interface MetadataWish {
  enabled: boolean;
  language?: string;
  maxParticipants?: number;
}

export const metadataProblems = [
  'metadata too large',
  'metadata too deep',
  'invalid transcriptionEnabled',
  'invalid language',
  'invalid maxParticipants',
] as const;
export type MetadataProblem = (typeof metadataProblems)[number];

export interface MetadataReading {
  /** Null when the metadata says nothing about transcription. */
  wish: MetadataWish | null;
  /** The first thing that was wrong; the other fields still count. */
  problem: MetadataProblem | null;
}

/** Made once: rooms are read again with every poll. */
const optionalLanguage = languageSchema.optional();

type JsonObject = Record<string, unknown>;

/** Reads the wish from room metadata that anybody may have written. Never throws. */
export function readMetadata(text: string): MetadataReading {
  const parsed = parseObject(text);
  if (typeof parsed === 'string') return { wish: null, problem: parsed };
  if (parsed === null) return { wish: null, problem: null };
  const enabled = own(parsed, 'transcriptionEnabled');
  if (enabled === undefined) return { wish: null, problem: null };
  if (typeof enabled !== 'boolean') return { wish: null, problem: 'invalid transcriptionEnabled' };
  return readSettings(parsed, enabled);
}

function readSettings(parsed: JsonObject, enabled: boolean): MetadataReading {
  const wish: MetadataWish = { enabled };
  let problem: MetadataProblem | null = null;
  const language = optionalLanguage.safeParse(own(parsed, 'language'));
  if (!language.success) problem = 'invalid language';
  else if (language.data !== undefined) wish.language = language.data;
  const most = roomMetadataSchema.shape.maxParticipants.safeParse(own(parsed, 'maxParticipants'));
  if (!most.success) problem ??= 'invalid maxParticipants';
  else if (most.data !== undefined) wish.maxParticipants = most.data;
  return { wish, problem };
}

/**
 * Room metadata with the wish put in and every foreign key kept. Fields of the wish that are undefined leave what is
 * there. Null when the metadata is not a JSON object we can read: it belongs to somebody else and is left alone.
 */
export function mergeMetadata(existing: string, wish: MetadataWish): string | null {
  const parsed = existing.trim() === '' ? {} : parseObject(existing);
  if (parsed === null || typeof parsed === 'string') return null;
  // Spreading copies an own `__proto__` key as data; it never becomes a prototype.
  const merged: JsonObject = { ...parsed, transcriptionEnabled: wish.enabled };
  if (wish.language !== undefined) merged.language = wish.language;
  if (wish.maxParticipants !== undefined) merged.maxParticipants = wish.maxParticipants;
  return JSON.stringify(merged);
}

/** One word for what a wish says, to notice that it changed. */
export function wishKey(wish: MetadataWish | null): string {
  return wish === null ? '' : JSON.stringify([wish.enabled, wish.language, wish.maxParticipants]);
}

export type DemandChange =
  | { change: 'keep' }
  | { change: 'remove' }
  | { change: 'put'; demand: Omit<Demand, 'requestedAt'> };

/**
 * What the metadata of a live room changes about its demand. The last explicit word wins: metadata counts only when
 * its wish differs from `seenKey`, the one this process saw last in this incarnation (undefined: first sight, when an
 * API wish already stored is the later word), or when there is no other word.
 */
export function foldWish(input: {
  room: string;
  roomSid: string;
  demand: Demand | null;
  wish: MetadataWish | null;
  seenKey: string | undefined;
  rooms: 'demand' | 'all';
}): DemandChange {
  const { demand, wish, seenKey } = input;
  // Without a demand the wish stands, seen or not: whoever dropped one meant that of another incarnation.
  if (demand !== null && seenKey === wishKey(wish)) return { change: 'keep' };
  if (seenKey === undefined && (demand?.source === 'api' || demand?.source === 'dispatch'))
    return { change: 'keep' };
  if (wish === null) return { change: demand?.source === 'metadata' ? 'remove' : 'keep' };
  if (saysTheSame(demand, wish)) return { change: 'keep' };
  if (!wish.enabled && demand === null && input.rooms === 'demand') return { change: 'keep' };
  const settings = { ...(demand?.wanted ? demand.settings : {}) };
  if (wish.language !== undefined) settings.language = wish.language;
  if (wish.maxParticipants !== undefined) settings.maxParticipants = wish.maxParticipants;
  return {
    change: 'put',
    demand: {
      room: input.room,
      wanted: wish.enabled,
      source: 'metadata',
      settings,
      priority: demand?.priority ?? 0,
      roomSid: input.roomSid,
    },
  };
}

/** Our own writes come back as metadata that says what the demand says; so do those of other replicas. */
function saysTheSame(demand: Demand | null, wish: MetadataWish): boolean {
  if (demand === null || demand.wanted !== wish.enabled) return false;
  if (!wish.enabled) return true;
  const { language, maxParticipants } = demand.settings;
  return (
    (wish.language === undefined || wish.language === language) &&
    (wish.maxParticipants === undefined || wish.maxParticipants === maxParticipants)
  );
}

function own(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** The object, null when it is not a JSON object, or the limit it breaks. */
function parseObject(text: string): JsonObject | null | MetadataProblem {
  if (text.trim() === '') return null;
  if (Buffer.byteLength(text) > maxMetadataBytes) return 'metadata too large';
  // Only an object can hold a wish, and only then does a depth limit mean anything.
  if (!/^\s*\{/.test(text)) return null;
  if (depthOf(text) > maxMetadataDepth) return 'metadata too deep';
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Deepest nesting outside strings, found before parsing so that no parser meets a deep text. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (inString) {
      if (char === '\\') i++;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === '{' || char === '[') deepest = Math.max(deepest, ++depth);
    else if (char === '}' || char === ']') depth--;
  }
  return deepest;
}
