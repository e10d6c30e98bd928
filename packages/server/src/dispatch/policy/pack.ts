import type { PlacementPolicy } from './placement-policy.ts';
import { cheapest } from './preference.ts';

/** The worker with the fewest free slots that still has one, so that others stay empty and can be taken away. */
export const pack: PlacementPolicy = (room, candidates) => {
  const chosen = cheapest(room, candidates, ({ used, slots }) => slots - used);
  if (chosen === null) return { agentId: null, reason: 'all slots busy' };
  return { agentId: chosen.agentId, reason: 'fullest that fits' };
};
