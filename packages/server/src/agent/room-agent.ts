import type { CaptionsView, DemandSettings } from '@dialoglens/protocol';
import type { Assignment, TrackMark } from '../registry/agent-registry.ts';

/** The port between a worker and what serves one room. Implemented by `TranscriptionAgent`, faked in simulations. */

/** Why an agent is no longer in its room; `failed` asks the dispatcher to try again. */
export interface AgentEnd {
  reason: string;
  failed: boolean;
  /** The room is somebody else's: nothing more may be said in it or written about it. */
  superseded?: boolean;
}

export interface RoomAgent {
  readonly assignment: Assignment;
  /** Audio tracks it hears: they weigh the room. */
  readonly tracks: number;
  /** Those who speak now, by display name. */
  readonly speaking: readonly string[];
  /** How the captions of the room do. */
  readonly captions: CaptionsView;
  /** Joins the room. One that stands by only listens until `promote`. @throws DialogLensError when it cannot be joined. */
  start(): Promise<void>;
  /** Takes other settings. Idempotent. @throws DialogLensError `unknown_provider`, and then nothing changed. */
  configure(settings: DemandSettings): void;
  /**
   * It stood by, and the lease is its own now: goes on where the record ends, which it finds by the marks of whoever
   * handed over. Resolves when the room can see it.
   */
  promote(marks: readonly TrackMark[]): Promise<void>;
  /**
   * Stops taking audio in, at a pause of everybody when one comes soon, and writes down all that was said. What comes
   * after is kept for `goOn`. Resolves to what the end of each track sounded like.
   * @throws DialogLensError `store_unavailable` when not everything could be written
   */
  handOver(): Promise<TrackMark[]>;
  /** Nothing came of the handover: goes on where it stopped. */
  goOn(): void;
  /** The lease is its own beyond doubt again: says what was held back. */
  resume(): void;
  /** Flushes every final (at most 5 s), leaves the room and frees everything. Idempotent. */
  stop(reason: string): Promise<void>;
  /** Leaves the room without another word and frees everything. Idempotent. */
  abandon(reason: string): Promise<void>;
}

/** What an agent tells its worker, and asks it. */
export interface RoomAgentHost {
  /** It ended by itself; the worker stops it. */
  ended(end: AgentEnd): void;
  /** It stands by and hears every track of the room. */
  standingBy(): void;
  /** False while the room may be somebody else's without anybody here knowing: then what is to be said has to wait. */
  mayPublish(): boolean;
}

/** Makes the agent of an assignment. */
export type MakeRoomAgent = (assignment: Assignment, host: RoomAgentHost) => RoomAgent;
