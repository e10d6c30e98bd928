import type { DemandSettings } from '@dialoglens/protocol';
import type { Assignment } from '../registry/agent-registry.ts';

/** The port between a worker and what serves one room. Implemented by `TranscriptionAgent`, faked in simulations. */

/** Why an agent is no longer in its room; `failed` asks the dispatcher to try again. */
export interface AgentEnd {
  reason: string;
  failed: boolean;
}

export interface RoomAgent {
  readonly assignment: Assignment;
  /** Joins the room. @throws DialogLensError when it cannot be joined. */
  start(): Promise<void>;
  /** Takes other settings. Idempotent. @throws DialogLensError `unknown_provider`, and then nothing changed. */
  configure(settings: DemandSettings): void;
  /** Flushes every final (at most 5 s), leaves the room and frees everything. Idempotent. */
  stop(reason: string): Promise<void>;
}

/** Makes the agent of an assignment; `onEnd` hears when it ends by itself, and the worker then stops it. */
export type MakeRoomAgent = (assignment: Assignment, onEnd: (end: AgentEnd) => void) => RoomAgent;
