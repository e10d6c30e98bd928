import { setTimeout as pause } from 'node:timers/promises';
import { type Clock, systemClock } from '../clock.ts';
import { DialogLensError } from '../errors.ts';
import type { Logger } from '../observability/telemetry.ts';
import { agentSilentAfterMs } from '../registry/agent-registry.ts';

/** A heartbeat may have been under way when its process died. */
const marginMs = 1_000;
const tryEveryMs = 250;

/**
 * Starts a worker under a name that a process which died a moment ago may still have: it is tried until that one would
 * be called silent. So a worker that is killed and started again at once comes back, and a second one does not.
 * @throws DialogLensError `worker_id_taken` when the other one lives; `shutting_down` when `signal` ends it
 */
export async function untilNameIsFree(
  start: () => Promise<void>,
  { signal, logger, clock = systemClock }: { signal: AbortSignal; logger: Logger; clock?: Clock },
): Promise<void> {
  const untilMs = clock.monotonicMs() + agentSilentAfterMs + marginMs;
  for (let isFirst = true; ; isFirst = false) {
    try {
      signal.throwIfAborted();
      return await start();
    } catch (thrown) {
      const isTaken = thrown instanceof DialogLensError && thrown.code === 'worker_id_taken';
      if (!isTaken || clock.monotonicMs() >= untilMs) throw thrown;
      if (isFirst) logger.info({}, 'the name of this worker was used a moment ago; waiting until it is free');
      // Waking up early is told by the signal at the top.
      await pause(tryEveryMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
