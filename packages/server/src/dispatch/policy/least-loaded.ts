import type { Candidate, PlacementPolicy } from './placement-policy.ts';

/**
 * The worker with the smallest share of used slots. Among equals a hash of room and worker decides, so that replicas
 * that look at the same moment spread their rooms instead of all choosing the first of the list.
 */
export const leastLoaded: PlacementPolicy = (room, candidates) => {
  let best: { agentId: string; load: number; tie: number } | null = null;
  for (const candidate of candidates) {
    if (!hasFreeSlot(candidate)) continue;
    const offer = {
      agentId: candidate.agentId,
      load: candidate.used / candidate.slots,
      tie: hash(`${room}\n${candidate.agentId}`),
    };
    if (best === null || offer.load < best.load || (offer.load === best.load && offer.tie < best.tie))
      best = offer;
  }
  return best?.agentId ?? null;
};

function hasFreeSlot({ slots, used }: Candidate): boolean {
  return slots > 0 && used < slots;
}

/** FNV-1a, 32 bits: spread is all that is asked of it. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
