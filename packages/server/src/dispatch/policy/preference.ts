import type { Candidate } from './placement-policy.ts';

/**
 * The candidate with a free slot and the lowest cost. Among equals a hash of room and worker decides, so that replicas
 * that look at the same moment spread their rooms instead of all choosing the first of the list.
 */
export function cheapest(
  room: string,
  candidates: readonly Candidate[],
  cost: (candidate: Candidate) => number,
): Candidate | null {
  let best: { candidate: Candidate; cost: number; tie: number } | null = null;
  for (const candidate of candidates) {
    if (!hasFreeSlot(candidate)) continue;
    const offer = { candidate, cost: cost(candidate), tie: hash(`${room}\n${candidate.agentId}`) };
    if (best === null || offer.cost < best.cost || (offer.cost === best.cost && offer.tie < best.tie))
      best = offer;
  }
  return best?.candidate ?? null;
}

export function hasFreeSlot({ slots, used }: Pick<Candidate, 'slots' | 'used'>): boolean {
  return slots > 0 && used < slots;
}

/** FNV-1a, 32 bits: spread is all that is asked of it. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
