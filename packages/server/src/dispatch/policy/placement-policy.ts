/** A worker as a placement sees it. */
export interface Candidate {
  agentId: string;
  slots: number;
  /** Slots held by a lease. */
  used: number;
}

/** Chooses the worker for a room among those with a free slot; null when there is none. Pure. */
export type PlacementPolicy = (room: string, candidates: readonly Candidate[]) => string | null;
