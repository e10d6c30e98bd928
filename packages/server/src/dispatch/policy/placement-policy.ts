import type { PlacementReason } from '../reasons.ts';

/** A worker as a placement sees it. */
export interface Candidate {
  agentId: string;
  slots: number;
  /** Slots held by a lease. */
  used: number;
  /** Where it runs; null when it was not told. */
  region: string | null;
  version: string;
  /** Rooms it holds or is to follow in. */
  rooms: readonly string[];
}

/** The worker for a room and why that one, or why there is none. */
export type PlacementVerdict =
  | { agentId: string; reason: PlacementReason }
  | { agentId: null; reason: PlacementRefusal };

/** Why no worker can take a room. */
export type PlacementRefusal =
  | 'no agents'
  | 'worker version'
  | 'no agent ready'
  | 'all slots busy'
  | 'registry unreachable'
  | 'quarantined';

/** Chooses the worker for a room among those with a free slot. Pure. */
export type PlacementPolicy = (room: string, candidates: readonly Candidate[]) => PlacementVerdict;
