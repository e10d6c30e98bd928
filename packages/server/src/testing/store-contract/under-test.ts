import type { Segment } from '@dialoglens/protocol';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { Session, Store, StoredSegment, StoredSpan, Tenure, TrackRecord } from '../../store/store.ts';

/** What the contract needs of an implementation under test. */
export interface StoreUnderTest {
  store: Store;
  /** Runs statements behind the store's back. */
  sql(text: string): Promise<void>;
  /** Another store on the same data, not started. */
  another(): Store;
  dispose(): Promise<void>;
}

/** The store under test, once for all tests of a suite; they keep out of each other's rooms. */
export interface ContractContext {
  under(): StoreUnderTest;
  store(): Store;
  /** A room that no other test uses. */
  room(): string;
}

const ttlMs = 60_000;

export function useStore(makeStore: () => Promise<StoreUnderTest>): ContractContext {
  let under: StoreUnderTest | null = null;
  let rooms = 0;
  const get = () => {
    if (!under) throw new Error('the store under test is not ready');
    return under;
  };
  beforeAll(async () => {
    under = await makeStore();
  });
  beforeEach(() => {
    rooms += 1;
  });
  afterAll(async () => {
    await under?.dispose();
  });
  return { under: get, store: () => get().store, room: () => `room ${rooms}` };
}

/** A room with a session, a lease and a track, ready to be written to. */
export interface Scene {
  room: string;
  session: Session;
  tenure: Tenure;
  track: TrackRecord;
}

export async function scene(context: ContractContext, trackSid = 'TR_1'): Promise<Scene> {
  const store = context.store();
  const room = context.room();
  const session = await store.record.openSession({
    room,
    roomSid: 'RM_1',
    language: 'en',
    provider: 'scripted',
    startedAt: 1_700_000_000_000,
  });
  const holder = `agent of ${room}`;
  const grant = await store.leases.claim({ room, holder, sessionId: session.id, ttlMs, slots: 1 });
  if (!grant) throw new Error('the claim of a fresh room was refused');
  const tenure = { room, epoch: grant.epoch };
  const track = await store.record.openTrack(tenure, trackOf(session, trackSid));
  if (!track) throw new Error('the holder of a room was fenced');
  return { room, session, tenure, track };
}

export function trackOf(
  session: Session,
  trackSid: string,
): Omit<TrackRecord, 'id' | 'endSample' | 'wordsEndSample'> {
  return { sessionId: session.id, trackSid, identity: 'ann', name: 'Ann', anchorAt: 1_700_000_001_000 };
}

/** A final of the scene's track over these samples. */
export function final(
  { room, session, track }: Scene,
  id: string,
  startSample: number,
  endSample: number,
  change: Partial<Segment> = {},
): StoredSegment {
  const text = change.text ?? `text of ${id}`;
  const segment: Segment = {
    id: `seg_${room.replaceAll(' ', '')}${id}`,
    sessionId: session.id,
    room,
    trackId: track.trackSid,
    identity: 'ann',
    speaker: 'Ann',
    revision: 3,
    isFinal: true,
    text,
    stableLength: text.length,
    startMs: startSample / 16,
    endMs: endSample / 16,
    startedAt: track.anchorAt + Math.round(startSample / 16),
    confidence: null,
    language: 'en',
    ...change,
  };
  return { trackId: track.id, segment, startSample, endSample };
}

export function span(
  { track }: Scene,
  kind: StoredSpan['kind'],
  startSample: number,
  endSample: number,
  reason: StoredSpan['reason'] = null,
): StoredSpan {
  return { trackId: track.id, kind, reason, startSample, endSample };
}
