import type {
  DemandSettings,
  DemandSource,
  MoveView,
  Role,
  Segment,
  SegmentHistory,
  SessionSpeaker,
  Span,
} from '@dialoglens/protocol';

export type { Role };

/**
 * The truth on disk. Every method is one SQL statement or one transaction. When the database cannot be reached
 * methods throw DialogLensError `store_unavailable`; the caller decides whether to wait.
 */
export interface Store {
  readonly kind: 'pglite' | 'postgres';
  /** Opens, locks and migrates. Idempotent. */
  start(): Promise<void>;
  /** Idempotent; waits for running statements. */
  stop(): Promise<void>;
  ping(): Promise<void>;
  /** The database's own clock, milliseconds since the Unix epoch. */
  now(): Promise<number>;
  readonly leases: LeaseStore;
  readonly demands: DemandStore;
  readonly reservations: ReservationStore;
  readonly record: RecordStore;
  readonly corrections: CorrectionStore;
  readonly removal: RemovalStore;
  readonly inbox: WebhookInbox;
  readonly audit: AuditLog;
  readonly keys: ApiKeyStore;
  readonly operations: OperationsStore;
}

export interface Lease {
  room: string;
  epoch: number;
  renewSeq: number;
  /** Worker id, or null when free. */
  holder: string | null;
  sessionId: string | null;
  expiresAt: number;
  expired: boolean;
  /** Worker that is to follow the living holder, or null. */
  successor: string | null;
  /** How often in a row the room lost its worker; 0 after a quiet while. */
  strikes: number;
}

/** A room that lost its worker, perhaps more than once. */
export interface StruckRoom {
  room: string;
  strikes: number;
  struckAt: number;
}

export interface LeaseStore {
  /**
   * Grants the room to `holder` when it is free or expired and the holder uses fewer than `slots`: unexpired leases it
   * holds or is to follow in. Null when it was not granted. The epoch only ever grows.
   */
  claim(claim: {
    room: string;
    holder: string;
    sessionId: string;
    ttlMs: number;
    slots: number;
  }): Promise<{ epoch: number } | null>;
  /** Renews in one statement; returns the rooms that are still held under the given epochs, and for the session if any. */
  renew(
    holder: string,
    held: { room: string; epoch: number; sessionId?: string | null }[],
    ttlMs: number,
  ): Promise<string[]>;
  /** Frees the room if this epoch still holds it; `struck` counts the loss of its worker against the room. */
  release(room: string, epoch: number, struck?: boolean): Promise<boolean>;
  /** Frees everything of a holder that exited; `struck` when it died. Returns the rooms. */
  releaseAll(holder: string, struck?: boolean): Promise<string[]>;
  /**
   * Takes the room from its holder when it expired or when `observed` (what the caller has watched not move for the
   * suspicion time) still stands. `struck` counts it against the room: its worker died, and the room may be why.
   */
  takeover(take: {
    room: string;
    holder: string;
    observed: { epoch: number; renewSeq: number };
    ttlMs: number;
    slots: number;
    struck: boolean;
  }): Promise<{ epoch: number; sessionId: string | null } | null>;
  /**
   * Names the worker that is to follow the living holder and keeps a slot for it; a later one replaces an earlier one.
   * False when the epoch no longer holds the room or the successor has no free slot.
   */
  prepare(plan: { room: string; epoch: number; successor: string; slots: number }): Promise<boolean>;
  /** Gives up a handover that was prepared. */
  unprepare(room: string, epoch: number): Promise<void>;
  /**
   * The holder steps back: its successor holds the room under the next epoch, in one statement. Null when the epoch no
   * longer holds the room or nobody was prepared.
   */
  handOver(give: {
    room: string;
    epoch: number;
    ttlMs: number;
  }): Promise<{ epoch: number; holder: string; sessionId: string | null } | null>;
  /** Rooms with strikes, held or not. */
  struck(): Promise<StruckRoom[]>;
  /** The room has been served quietly, or an operator said so: its strikes are forgotten. */
  absolve(room: string): Promise<void>;
  /** Every lease that is held, expired ones included; of these rooms only when some are named. */
  list(rooms?: readonly string[]): Promise<Lease[]>;
}

export interface Demand {
  room: string;
  /** False: somebody said stop, and no automatic source may start it again for this incarnation. */
  wanted: boolean;
  source: DemandSource;
  settings: DemandSettings;
  priority: number;
  /** SID of the incarnation the wish belongs to; null while the room has not begun. */
  roomSid: string | null;
  requestedAt: number;
}

export interface DemandStore {
  get(room: string): Promise<Demand | null>;
  /** Writes the wish; keeps `requestedAt` (the place in the queue) when the room was wanted already. */
  put(demand: Omit<Demand, 'requestedAt'>): Promise<Demand>;
  /** The same, only while the wish of the room is still `from`, null meaning none. Null when somebody was quicker. */
  replace(from: Demand | null, demand: Omit<Demand, 'requestedAt'>): Promise<Demand | null>;
  /** Moves a wanted room in the queue, whatever else is written about it meanwhile. False when nobody wants it. */
  setPriority(room: string, priority: number): Promise<boolean>;
  /** Binds a wish to the incarnation that began, if it is bound to `from` still: to none when it was armed. */
  bind(room: string, roomSid: string, from?: string | null): Promise<void>;
  /** Drops the wish, only while it is still bound to that incarnation (null: to none) and from that source when given. */
  remove(room: string, only?: Partial<Pick<Demand, 'roomSid' | 'source'>>): Promise<boolean>;
  list(): Promise<Demand[]>;
  /** Drops wishes that were armed longer than `olderThanMs` ago and never met a room. Returns how many. */
  expireArmed(olderThanMs: number): Promise<number>;
}

/** A slot kept for a room that is to begin. Instants in milliseconds since the Unix epoch. */
export interface Reservation {
  room: string;
  startsAt: number;
  /** The slot is given up when the room has not begun by then. */
  endsAt: number;
}

export interface ReservationStore {
  /** One per room: a later one replaces an earlier one. */
  put(reservation: Reservation): Promise<void>;
  remove(room: string): Promise<boolean>;
  /** In the order in which they begin. */
  list(): Promise<Reservation[]>;
  /** Drops what is over. Returns how many. */
  expire(): Promise<number>;
}

export interface Session {
  id: string;
  room: string;
  roomSid: string;
  language: string;
  provider: string;
  startedAt: number;
  endedAt: number | null;
  endReason: string | null;
  /** How often what was written down was corrected or removed. */
  changes: number;
}

export interface TrackRecord {
  id: string;
  sessionId: string;
  /** LiveKit track SID. */
  trackSid: string;
  identity: string;
  name: string;
  /** Epoch milliseconds of the track's sample 0. */
  anchorAt: number;
  /** End of the track's clock as far as it is accounted for, samples. */
  endSample: number;
  /** End of the last final, samples: later than `endSample` when an agent died before it accounted for it. */
  wordsEndSample: number;
}

/** A final as it is stored; positions in samples (16 kHz). */
export interface StoredSegment {
  /** Id of the stored track (`trk_…`); `segment.trackId` is the LiveKit SID that viewers know. */
  trackId: string;
  segment: Segment;
  startSample: number;
  endSample: number;
}

export interface StoredSpan {
  /** Id of the stored track (`trk_…`). */
  trackId: string;
  kind: Span['kind'];
  reason: Span['reason'];
  startSample: number;
  endSample: number;
}

/** Proof of tenure that goes with every write of an agent. */
export interface Tenure {
  room: string;
  epoch: number;
}

export interface SpeakerCoverage {
  /** LiveKit's id of the track, as segments have it. */
  trackId: string;
  identity: string;
  name: string;
  totalMs: number;
  speechMs: number;
  silenceMs: number;
  mutedMs: number;
  gapMs: number;
  gaps: { reason: string; startMs: number; endMs: number }[];
  /** Time no span explains; 0 in a complete record. */
  unexplainedMs: number;
}

export interface SearchHit {
  segment: Segment;
  /** Text with matches between U+E000 and U+E001, to be escaped before it is shown. */
  snippet: string;
}

/** What a search is limited to; what is left out limits nothing. */
export interface SearchFilter {
  room?: string;
  sessionId?: string;
  /** Part of the speaker's name in any case, or their identity. */
  speaker?: string;
  /** A language tag; `en` stands for `en-US` too. */
  language?: string;
  /** Said at this instant or later, milliseconds since the Unix epoch. */
  from?: number;
  /** Said before this instant. */
  to?: number;
}

export interface Page {
  limit: number;
  /** Opaque; from `next` of the page before. */
  cursor?: string;
}
export interface Paged<T> {
  items: T[];
  next: string | null;
}

export interface RecordStore {
  /**
   * The session of a room incarnation; the same one however often it is asked for. Language and provider become the ones
   * asked for last, and an end is taken back: whoever opens a session is about to transcribe.
   */
  openSession(session: {
    room: string;
    roomSid: string;
    language: string;
    provider: string;
    startedAt: number;
  }): Promise<Session>;
  /** Idempotent: the first end stands, until the session is opened again. */
  endSession(id: string, reason: string): Promise<void>;
  /** Sessions without an end; of these rooms only when some are named. */
  openSessions(rooms?: readonly string[]): Promise<Session[]>;
  getSession(id: string): Promise<Session | null>;
  listSessions(page: Page, filter?: { room?: string }): Promise<Paged<Session>>;
  /** The track of a session; for a known SID the stored row, with where its clock stands. Null when fenced. */
  openTrack(
    tenure: Tenure,
    track: Omit<TrackRecord, 'id' | 'endSample' | 'wordsEndSample'>,
  ): Promise<TrackRecord | null>;
  tracks(sessionId: string): Promise<TrackRecord[]>;
  /**
   * Writes finals with the fence in the same statement, idempotent by segment id. `fenced` is true when the epoch no
   * longer holds the room and nothing was written. Segments that overlap one already stored on the track are `refused`.
   */
  writeFinals(
    tenure: Tenure,
    finals: StoredSegment[],
  ): Promise<{ fenced: boolean; stored: string[]; refused: string[] }>;
  /** Writes spans and moves the end of each track's clock, fenced in the same way. Idempotent. */
  writeSpans(tenure: Tenure, spans: StoredSpan[]): Promise<{ fenced: boolean }>;
  /** Finals in reading order. */
  segments(sessionId: string, page: Page): Promise<Paged<Segment>>;
  /** The last `count` finals in reading order. */
  recentSegments(sessionId: string, count: number): Promise<Segment[]>;
  coverage(sessionId: string): Promise<SpeakerCoverage[]>;
  /** Finals whose words match, the newest first. */
  search(query: string, page: Page, filter?: SearchFilter): Promise<Paged<SearchHit>>;
}

/** A change is made only to what the caller saw. `author` is kept with it and goes into the audit log. */
interface Change {
  sessionId: string;
  revision: number;
  author: string;
}
export type SegmentUndoing = Change & { segmentId: string };
export type SegmentCorrection = SegmentUndoing & { text: string };
export type SpeakerUndoing = Change & { identity: string };
export type SpeakerCorrection = SpeakerUndoing & { name: string };

/**
 * Corrections of finals and of what speakers are called. Everything that reads the record has the corrected text; what
 * was recognised and every correction are kept. What is corrected to what it is already changes nothing.
 */
export interface CorrectionStore {
  /** @throws DialogLensError `not_found`, `revision_conflict` */
  correctSegment(correction: SegmentCorrection): Promise<Segment>;
  /** Takes the last correction that stands back. @throws DialogLensError `not_found`, `revision_conflict`, `nothing_to_undo` */
  undoSegment(undoing: SegmentUndoing): Promise<Segment>;
  /** @throws DialogLensError `not_found` */
  history(sessionId: string, segmentId: string): Promise<SegmentHistory>;
  /** Everybody who was heard in a session, by identity. */
  speakers(sessionId: string): Promise<SessionSpeaker[]>;
  /** The names that were corrected, as they stand. */
  speakerNames(sessionId: string): Promise<{ identity: string; name: string }[]>;
  /** @throws DialogLensError `not_found`, `revision_conflict` */
  correctSpeaker(correction: SpeakerCorrection): Promise<SessionSpeaker>;
  /** @throws DialogLensError `not_found`, `revision_conflict`, `nothing_to_undo` */
  undoSpeaker(undoing: SpeakerUndoing): Promise<SessionSpeaker>;
}

/** Takes out of the record for good. The audit log keeps who did it, never what it was. */
export interface RemovalStore {
  /**
   * Deletes a session that is over, with everything that was written down in it.
   * @throws DialogLensError `not_found`, `session_live`
   */
  deleteSession(sessionId: string, actor: string): Promise<{ segments: number }>;
  /**
   * Removes words, names and identity of one person from every session; the spans of their tracks stay, so that the time
   * is still accounted for. Returns the sessions it concerned.
   * @throws DialogLensError `not_found`, `session_live`
   */
  removePerson(identity: string, actor: string): Promise<{ sessions: string[]; segments: number }>;
}

export interface WebhookInbox {
  /** True the first time this event id is seen; false for a repetition. */
  accept(event: { id: string; kind: string; room: string; createdAt: number }): Promise<boolean>;
  /** Forgets events older than this. Returns how many. */
  prune(olderThanMs: number): Promise<number>;
}

export interface AuditLog {
  /** Who did what to which room or session; never contents. */
  append(entry: { actor: string; action: string; target: string }): Promise<void>;
}

/** A key of the API that was not revoked; it may have expired. Instants in milliseconds since the Unix epoch. */
export interface StoredApiKey {
  id: string;
  name: string;
  role: Role;
  /** SHA-256 of the secret, hexadecimal; the secret itself is not kept. */
  hash: string;
  createdAt: number;
  /** Null: it does not expire. */
  expiresAt: number | null;
  /** The last use that was written down; null before the first. */
  lastUsedAt: number | null;
}

/**
 * Keys of the API. While there are keys, one of them is an admin's that does not expire, here or elsewhere
 * (`adminElsewhere`): what would break that is not done and answered with `no admin`. Changes go into the audit log in
 * the same transaction.
 */
export interface ApiKeyStore {
  /** `too many`: there are `most` already. */
  add(
    key: Pick<StoredApiKey, 'id' | 'name' | 'role' | 'hash' | 'expiresAt'>,
    terms: { actor: string; adminElsewhere: boolean; most: number },
  ): Promise<'added' | 'no admin' | 'too many'>;
  /** Ends a key. The last one of all may go. `unknown`: there is none, or it was revoked before. */
  revoke(
    id: string,
    terms: { actor: string; adminElsewhere: boolean },
  ): Promise<'revoked' | 'no admin' | 'unknown'>;
  /** Every key that was not revoked, the oldest first. */
  list(): Promise<StoredApiKey[]>;
  /** The key was used now. */
  used(id: string): Promise<void>;
}

/** How often something happened in a minute, in all processes together. */
export interface MinuteCount {
  /** Beginning of the minute by the database's clock, milliseconds since the Unix epoch. */
  minute: number;
  name: string;
  label: string;
  bucket: number;
  count: number;
}

/** What operators look at. */
export interface OperationsStore {
  /** How rooms went from worker to worker in the last seven days, the newest first; leases write it by themselves. */
  moves(page: Page): Promise<Paged<MoveView>>;
  /** Adds to the counts of this minute, and forgets those older than a day. */
  addMeasures(counts: readonly Omit<MinuteCount, 'minute'>[]): Promise<void>;
  /** Counts of the last minutes, this one included, and the database's time. */
  measures(minutes: number): Promise<{ now: number; counts: MinuteCount[] }>;
}
