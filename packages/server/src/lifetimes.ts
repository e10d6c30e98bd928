import { channel } from 'node:diagnostics_channel';

/** Long-lived things of docs/lifetimes.md that hold something which must be let go of. */
export type LongLived =
  | 'agent'
  | 'agent worker'
  | 'dispatcher'
  | 'room connection'
  | 'speech session'
  | 'store';

export interface LifetimeEvent {
  what: LongLived;
  thing: object;
  alive: boolean;
}

/** Carries `LifetimeEvent`; costs nothing while nobody listens. The tests do, and fail when something outlives them. */
export const lifetimeChannel = 'dialoglens:lifetime';
const lifetimes = channel(lifetimeChannel);

/** The thing holds something from now on. */
export function begins(what: LongLived, thing: object): void {
  if (lifetimes.hasSubscribers) lifetimes.publish({ what, thing, alive: true } satisfies LifetimeEvent);
}

/** The thing has let go of everything. May be told twice. */
export function ends(what: LongLived, thing: object): void {
  if (lifetimes.hasSubscribers) lifetimes.publish({ what, thing, alive: false } satisfies LifetimeEvent);
}
