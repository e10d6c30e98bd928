import { setTimeout as pause } from 'node:timers/promises';
import { backoffMs } from '../dispatch/loop.ts';
import { DialogLensError, type ErrorCode } from '../errors.ts';
import type { Logger } from '../observability/telemetry.ts';

/** What passes by itself. Anything else, such as a wrong password, is told at once. */
const passing: ReadonlySet<ErrorCode> = new Set(['store_unavailable', 'registry_unavailable']);
const firstPauseMs = 500;
const longestPauseMs = 10_000;

export interface PatienceOptions {
  /** Ends the waiting. */
  signal: AbortSignal;
  logger: Logger;
  /** 0..1; default `Math.random`. */
  random?: () => number;
  /** Pause before the second try, ms; doubles from there to 10 s. */
  firstMs?: number;
}

/**
 * Starts what needs a server that may come later: tries on, with growing pauses, while it cannot be reached, and says so.
 * @throws DialogLensError for what waiting does not change; `shutting_down` when `signal` ends it
 */
export async function untilReachable(
  part: string,
  start: () => Promise<void>,
  { signal, logger, random = Math.random, firstMs = firstPauseMs }: PatienceOptions,
): Promise<void> {
  for (let failures = 1; ; failures++) {
    try {
      signal.throwIfAborted();
      await start();
      if (failures > 1) logger.info({ part }, 'reachable now');
      return;
    } catch (thrown) {
      if (signal.aborted) throw signal.reason;
      if (!(thrown instanceof DialogLensError) || !passing.has(thrown.code)) throw thrown;
      const inMs = Math.round(backoffMs(failures, firstMs, longestPauseMs, random));
      const { code, message, remedy } = thrown;
      logger.warn({ part, code, remedy, tries: failures, inMs }, `${message} Trying again.`);
      // Waking up early is told by the signal at the top.
      await pause(inMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
