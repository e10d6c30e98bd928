import type { DispatcherSettings } from '../../dispatch/dispatcher-settings.ts';
import type { Chance } from '../chance.ts';
import type { MemoryDispatchStore } from '../memory-dispatch-store.ts';
import type { Conditions } from './conditions.ts';
import type { SimLiveKit } from './sim-livekit.ts';
import type { SimProcess } from './sim-process.ts';
import type { SimRecord } from './sim-record.ts';
import type { SimRegistry } from './sim-registry.ts';
import type { Verdict } from './verdict.ts';
import type { VirtualTime } from './virtual-time.ts';

/** A mistake put in on purpose, to prove that the simulation sees it. */
export const plants = ['no fence', 'never in doubt', 'no poll'] as const;
export type Plant = (typeof plants)[number];

/** A dispatcher or a worker of the cluster, in a process of its own. */
export interface Member {
  readonly kind: 'dispatcher' | 'worker';
  readonly id: string;
  readonly process: SimProcess;
  /** It does what it is for. */
  readonly isUp: boolean;
  /** kill -9. */
  kill(): void;
  /** SIGTERM: it ends by itself when it is done. */
  terminate(): void;
}

/** What the processes of a simulated cluster have around them. */
export interface Surroundings {
  time: VirtualTime;
  chance: Chance;
  conditions: Conditions;
  store: MemoryDispatchStore;
  registry: SimRegistry;
  livekit: SimLiveKit;
  record: SimRecord;
  verdict: Verdict;
  settings: Partial<DispatcherSettings>;
  plant: Plant | null;
  /** A process ended by itself. */
  ended: (member: Member) => void;
  /** Told what happens, when somebody wants to know. */
  trace: ((who: SimProcess | null, what: string) => void) | null;
}
