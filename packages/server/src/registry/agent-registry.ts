import type { CaptionsView, DemandSettings, LiveEvent, RoomStatus } from '@dialoglens/protocol';

/**
 * The live picture: may be lost at any moment and is rebuilt from the store and from heartbeats. Every method but
 * `publish` throws DialogLensError `registry_unavailable` when the registry cannot be reached in time; listeners stay
 * and hear again when it is back.
 */

/** A worker is suspect after this much silence (four missed heartbeats), and its name is free, ms. */
export const agentSilentAfterMs = 2_000;
/** A picture of a room that nobody sets anew is gone after this, ms. */
export const roomPictureTtlMs = 900_000;

export interface AgentStatus {
  agentId: string;
  /** Made anew at each start of the process: two processes under one name differ in it. */
  instance: string;
  status: 'ready' | 'draining' | 'refusing';
  /** Why it refuses, when it does. */
  reason: string | null;
  slots: number;
  /** Slots taken beyond one for each room, because some rooms have many tracks. */
  extraSlots: number;
  /** Rooms it holds, from its own view. */
  rooms: string[];
  /** Rooms in which it stands by to follow another worker, from the moment it was told to. */
  standbyRooms: string[];
  /** How the captions of those of its rooms do that do not do well, by room. Older workers do not say. */
  captions?: Readonly<Record<string, CaptionsView>>;
  /** Who speaks in those of its rooms where somebody does, by room. Older workers do not say. */
  speaking?: Readonly<Record<string, string[]>>;
  /** 0..1: share of slots used. */
  load: number;
  region: string | null;
  version: string;
  startedAt: number;
  /** Resident memory, bytes. */
  memoryBytes: number;
  heartbeatAt: number;
}

/** Why a worker that drains still has rooms, when it sees a free slot elsewhere. */
export const handedOver = 'rooms are handed over';

/** Slots of a worker that are in use, by what it says itself; the leases may say otherwise for a moment. */
export function slotsTaken(of: Pick<AgentStatus, 'rooms' | 'standbyRooms' | 'extraSlots'>): number {
  return of.rooms.length + of.standbyRooms.length + of.extraSlots;
}

export interface RoomPicture {
  room: string;
  status: RoomStatus;
  /** One of the dispatcher's reasons, such as `all slots busy`. */
  reason: string;
  agentId: string | null;
  epoch: number | null;
  sessionId: string | null;
  /** 1 is next; null when not queued. */
  queuePosition: number | null;
  since: number;
}

/** The order to serve a room. */
export interface Assignment {
  room: string;
  roomSid: string;
  sessionId: string;
  epoch: number;
  url: string;
  token: string;
  settings: DemandSettings;
  /**
   * The room still has its holder: join, listen and keep the audio, but say nothing until `promote`. `epoch` is the one
   * that the handover will give. Sent again, it is answered again: `standing-by`. Without `standby`, to a worker that
   * stands by under this epoch, it means the same as `promote`.
   */
  standby: boolean;
}

/** What a track sounded like to the holder, near the end of what it wrote: see `SoundMark`. */
export interface TrackMark {
  trackSid: string;
  /** Position behind it, samples at 16 kHz on the clock of the record. */
  endSample: number;
  levels: string;
}

export type WorkerCommand =
  | { type: 'assign'; assignment: Assignment }
  /**
   * To the holder: write down what was said, pass the lease to the successor that is ready, tell it, leave. It is
   * repeated until the lease has passed.
   */
  | { type: 'handover'; room: string; epoch: number; successor: string }
  /**
   * To the successor: the lease is yours under this epoch; go on where the record ends. It finds the place by what the
   * holder heard there, and by the wall clock in tracks without a mark.
   */
  | { type: 'promote'; room: string; epoch: number; marks?: TrackMark[] | undefined }
  /** Take no more rooms, hand over those you have, then exit. */
  | { type: 'drain'; reason: string }
  | { type: 'leave'; room: string; epoch: number; reason: string }
  /** All settings of a room that is served, after some of them changed. Repeating it changes nothing. */
  | { type: 'settings'; room: string; epoch: number; settings: DemandSettings };

/** What a worker tells the dispatcher about one of its rooms. */
export type WorkerReport =
  | { type: 'joined'; agentId: string; room: string; epoch: number }
  /** The successor hears every track of the room. */
  | { type: 'standing-by'; agentId: string; room: string; epoch: number }
  | {
      type: 'left';
      agentId: string;
      room: string;
      epoch: number;
      /** Whose agent it was; older workers do not say. */
      sessionId?: string | undefined;
      reason: string;
      failed: boolean;
    };

export interface AgentMetricsView {
  total: number;
  busy: number;
  available: number;
  /** Mean age of the sessions that run now, milliseconds. */
  avgSessionDuration: number;
}

/** A wish to hold places of something that all processes may hold only so many of. */
export interface ShareClaim {
  /** What is shared, such as the streams of one account. */
  pool: string;
  /** Who asks; a process has one name for each of its claims. */
  holder: string;
  /** Places wanted, with those already held. 0 gives all back. */
  wanted: number;
  /** Places there are for everybody. */
  limit: number;
  /** A claim that is not made again is gone after this. */
  ttlMs: number;
}

export interface AgentRegistry {
  /** @throws DialogLensError `registry_unavailable`, after which it may be tried again; `registry_login_refused` */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** @throws DialogLensError `registry_unavailable` */
  ping(): Promise<void>;
  /**
   * Takes a worker's name for one process, for as long as its heartbeats come.
   * @throws DialogLensError `worker_id_taken` when another process that is heard has it.
   */
  enroll(agentId: string, instance: string): Promise<void>;
  /** @throws DialogLensError `worker_id_taken` when another process took the name while this one was silent. */
  heartbeat(status: AgentStatus): Promise<void>;
  forget(agentId: string): Promise<void>;
  /** Workers heard from within the last `withinMs`. */
  agents(withinMs?: number): Promise<AgentStatus[]>;
  setRoom(picture: RoomPicture): Promise<void>;
  removeRoom(room: string): Promise<void>;
  room(room: string): Promise<RoomPicture | null>;
  rooms(): Promise<RoomPicture[]>;
  getAgentMetrics(): Promise<AgentMetricsView>;
  /** Sends a command to one worker; false when nobody listens. */
  command(agentId: string, command: WorkerCommand): Promise<boolean>;
  onCommand(agentId: string, listener: (command: WorkerCommand) => void): () => void;
  report(report: WorkerReport): Promise<void>;
  onReport(listener: (report: WorkerReport) => void): () => void;
  /** Live events of one room, for viewers. Nobody is waited for; what cannot be sent now is dropped and counted. */
  publish(room: string, event: LiveEvent): Promise<void>;
  subscribe(room: string | '*', listener: (event: LiveEvent) => void): () => void;
  /** "Look at this room": a nudge, never a truth. */
  hint(room: string): Promise<void>;
  onHint(listener: (room: string) => void): () => void;
  /** Claims places; answers how many are the holder's now. Places that others hold are theirs until their claims end. */
  share(claim: ShareClaim): Promise<number>;
  /** Adds to a sum that all processes share, and tells it. It is forgotten when nobody added for `ttlMs`. */
  addUp(sum: string, amount: number, ttlMs: number): Promise<number>;
}
