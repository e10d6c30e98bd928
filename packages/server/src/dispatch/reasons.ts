/**
 * Why a room is in the state it is in. A closed set: log lines, metric labels and API answers use these same words.
 */
export const dispatchReasons = [
  'not transcribed',
  'room has not started',
  'room not seen',
  'nobody in the room',
  'no audio yet',
  'no agents',
  'no agent ready',
  'all slots busy',
  'queue full',
  'worker version',
  'agent failed',
  'quarantined',
  'agent free',
  'worker lost',
  'lease not renewed',
  'joining',
  'active',
  'handing over',
  'handover waits',
  'no other worker has a slot',
  'leaving',
  'stopped',
  'room ended',
  'livekit unreachable',
  'registry unreachable',
] as const;
export type DispatchReason = (typeof dispatchReasons)[number];

/** Why there should be as many workers as there should. */
export const poolReasons = [
  'enough workers',
  'rooms wait',
  'slots run short',
  'slots to spare',
  'fewest allowed',
  'most allowed',
  'workers crash',
] as const;
export type PoolReason = (typeof poolReasons)[number];

/** Why a room was given to this worker and not to another. */
export const placementReasons = [
  'least loaded',
  'fullest that fits',
  'least used region',
  'stands by',
  'alone',
] as const;
export type PlacementReason = (typeof placementReasons)[number];
