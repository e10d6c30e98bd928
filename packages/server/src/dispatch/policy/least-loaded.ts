import type { PlacementPolicy } from './placement-policy.ts';
import { cheapest } from './preference.ts';

/** The worker with the smallest share of used slots. */
export const leastLoaded: PlacementPolicy = (room, candidates) => {
  const chosen = cheapest(room, candidates, ({ used, slots }) => used / slots);
  if (chosen === null) return { agentId: null, reason: 'all slots busy' };
  return { agentId: chosen.agentId, reason: 'least loaded' };
};
