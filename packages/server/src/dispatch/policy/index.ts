import { leastLoaded } from './least-loaded.ts';
import { pack } from './pack.ts';
import type { PlacementPolicy } from './placement-policy.ts';
import { spread } from './spread.ts';

/** The policies by the names that the setting `placement.policy` takes. */
export const placementPolicies = {
  'least-loaded': leastLoaded,
  pack,
  spread,
} as const satisfies Record<string, PlacementPolicy>;
