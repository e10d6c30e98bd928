import type { Candidate, PlacementPolicy } from './placement-policy.ts';
import { cheapest } from './preference.ts';

/**
 * The region with the smallest share of used slots, and in it the least loaded worker: when a region fails, as few rooms
 * as possible have to move. Workers without a region are a region of their own.
 */
export const spread: PlacementPolicy = (room, candidates) => {
  const regions = new Map<string | null, { used: number; slots: number }>();
  for (const { region, used, slots } of candidates) {
    const sum = regions.get(region) ?? { used: 0, slots: 0 };
    regions.set(region, { used: sum.used + used, slots: sum.slots + slots });
  }
  const shareOf = ({ region }: Candidate) => {
    const { used, slots } = regions.get(region) ?? { used: 0, slots: 1 };
    return used / Math.max(1, slots);
  };
  const inBest = cheapest(room, candidates, shareOf);
  if (inBest === null) return { agentId: null, reason: 'all slots busy' };
  const there = candidates.filter(({ region }) => region === inBest.region);
  const chosen = cheapest(room, there, ({ used, slots }) => used / slots) ?? inBest;
  return { agentId: chosen.agentId, reason: 'least used region' };
};
