import type { RoomPicture } from '../registry/agent-registry.ts';
import type { MetadataProblem } from './demand.ts';
import type { HintSource } from './dirty-rooms.ts';

/** What this process remembers about one room. All of it may be lost: store, registry and LiveKit hold the truth. */
export interface RoomState {
  /** Successive polls that did not list it. */
  absentPolls: number;
  /** Outages of LiveKit there had been when the incarnation of the wish was last seen; null before it was. */
  seenOutages: number | null;
  /** The metadata wish last seen, and for which incarnation. */
  wish: SeenWish | null;
  problem: MetadataProblem | null;
  /** Epoch whose agent said that it is in the room. */
  joinedEpoch: number | null;
  /** Epoch for which older agents have been removed from the room. */
  cleanedEpoch: number | null;
  /** Epoch that was granted to a worker that nobody could tell of it: it had died before. */
  untoldEpoch: number | null;
  /** The settings that the agent of an epoch was last given, as one word. */
  given: { epoch: number; settings: string } | null;
  /** The handover that is under way. */
  handover: Handover | null;
  /** The successor that last said it hears every track, for which epoch, and when (monotonic). */
  standing: { agentId: string; epoch: number; atMs: number } | null;
  /** Told to leave, and until when it may flush (monotonic). */
  leaving: { epoch: number; untilMs: number } | null;
  /** Failures in a row and when the next attempt may be made (monotonic). */
  failures: number;
  nextTryMs: number;
  /** Workers that failed here, and until when others are preferred (monotonic). */
  avoid: Map<string, number>;
  /** When a wanted room with a voice and no agent was first seen (monotonic), and through what. */
  firstSeen: { atMs: number; by: HintSource } | null;
  /** How the room stands. */
  picture: RoomPicture | null;
  /** When the registry took this picture (monotonic); null when it has another one, or none. */
  publishedMs: number | null;
}

export interface SeenWish {
  roomSid: string;
  key: string;
  /** After a write of ours LiveKit may list the metadata of before for a moment; that is not a new wish. */
  stale: { key: string; untilMs: number } | null;
}

/** A room that is about to change hands. Instants on the own monotonic clock. */
export interface Handover {
  holder: string;
  /** Epoch of the holder. */
  epoch: number;
  successor: string;
  /** This process chose the successor, and counts how it goes. */
  isOurs: boolean;
  sinceMs: number;
  /** When the successor, and the holder, were last told what to do. */
  assignedMs: number;
  switchedMs: number;
  /** The successor has left, or did not come in time. */
  isLost: boolean;
}

/** The states of all rooms this process has to do with. */
export class RoomMemory {
  readonly #states = new Map<string, RoomState>();

  /** The state of a room, made when there is none. */
  of(room: string): RoomState {
    const known = this.#states.get(room);
    if (known !== undefined) return known;
    const state: RoomState = {
      absentPolls: 0,
      seenOutages: null,
      wish: null,
      problem: null,
      joinedEpoch: null,
      cleanedEpoch: null,
      untoldEpoch: null,
      given: null,
      handover: null,
      standing: null,
      leaving: null,
      failures: 0,
      nextTryMs: 0,
      avoid: new Map(),
      firstSeen: null,
      picture: null,
      publishedMs: null,
    };
    this.#states.set(room, state);
    return state;
  }

  peek(room: string): RoomState | undefined {
    return this.#states.get(room);
  }

  entries(): IterableIterator<[string, RoomState]> {
    return this.#states.entries();
  }

  /** Drops rooms that are neither listed nor of interest, so that memory follows the rooms that exist. */
  prune(keep: (room: string, state: RoomState) => boolean): void {
    for (const [room, state] of this.#states) if (!keep(room, state)) this.#states.delete(room);
  }
}
