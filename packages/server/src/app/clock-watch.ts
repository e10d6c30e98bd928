import { type Clock, systemClock } from '../clock.ts';
import type { Store } from '../store/store.ts';
import type { ProcessContext } from './running-parts.ts';

const everyMs = 60_000;
/** Captions of two machines that are further apart would be out of order on a screen. */
export const clockToleranceMs = 1_000;

/**
 * How far this machine's clock is ahead of the database's, ms; half the way there and back is what it may be wrong by.
 * @throws DialogLensError `store_unavailable`
 */
export async function clockSkewMs(store: Pick<Store, 'now'>, clock: Clock = systemClock): Promise<number> {
  const askedMs = clock.monotonicMs();
  const asked = clock.nowMs();
  const theirs = await store.now();
  const wayMs = clock.monotonicMs() - askedMs;
  return asked + wayMs / 2 - theirs;
}

/**
 * Compares the clock of this machine with the database's now and then, and says when they are apart. Nothing is decided
 * by a wall clock, but instants in captions and transcripts come from it.
 */
export function startClockWatch({ store, metrics, logger, running }: ProcessContext): void {
  let wasApart = false;
  const compare = async () => {
    const skewMs = await clockSkewMs(store);
    metrics.set('clock_skew_seconds', {}, skewMs / 1000);
    const isApart = Math.abs(skewMs) > clockToleranceMs;
    if (isApart && !wasApart) {
      const remedy = 'Synchronise the clocks of both machines (NTP).';
      const about = { skewMs: Math.round(skewMs), remedy };
      logger.warn(about, 'the clock of this machine and that of PostgreSQL are apart');
    }
    if (!isApart && wasApart) logger.info({}, 'the clocks agree again');
    wasApart = isApart;
  };
  let comparing: Promise<void> = Promise.resolve();
  const tick = () => {
    comparing = compare().catch((thrown: unknown) => {
      logger.debug({ err: thrown }, 'the clocks could not be compared');
    });
  };
  const timer = setInterval(tick, everyMs);
  running.add('clocks', async () => {
    clearInterval(timer);
    await comparing;
  });
  tick();
}
