import { asError } from '../errors.ts';
import type { Logger } from '../observability/telemetry.ts';
import { untilSignal } from './shutdown.ts';

/** A process of a cluster, as the command that runs it sees it. */
export interface LongRunning {
  start(): Promise<unknown>;
  /** What has to happen before it may stop. */
  drain?(reason: string): Promise<void>;
  stop(reason: string): Promise<void>;
}

export interface LifeOptions {
  logger: Logger;
  /** Another process in whose company this one lives: it ends when that one is gone. */
  companion?: number | undefined;
  /** Other reasons to end, beside signals. */
  ends?: Promise<string>[];
}

const lookEveryMs = 1_000;
/** Nobody waits for a process whose company is gone. */
const aloneForMs = 10_000;

/**
 * Runs a process from start to end. The first signal lets it drain and stop, also while it still waits for a server; a
 * second one ends it at once.
 */
export async function live(
  running: LongRunning,
  { logger, companion, ends = [] }: LifeOptions,
): Promise<never> {
  const signalled = untilSignal();
  const alone = companion === undefined ? [] : [untilGone(companion)];
  const ending = Promise.race([signalled, ...alone, ...ends]);
  const started = running.start().then(
    () => null,
    (thrown: unknown) => asError(thrown),
  );
  const first = await Promise.race([started, ending]);
  if (first instanceof Error) throw first;
  const reason = await ending;
  if (reason === companionGone) setTimeout(() => process.exit(1), aloneForMs).unref();
  else if (first === null) await running.drain?.(reason);
  logger.info({ reason }, 'stopping; a second signal ends the process at once');
  await running.stop(reason);
  process.exit(process.exitCode ?? 0);
}

const companionGone = 'the process it belongs to is gone';

/** Resolves when the process is gone. */
function untilGone(pid: number): Promise<string> {
  return new Promise((resolve) => {
    const look = setInterval(() => {
      if (isAlive(pid)) return;
      clearInterval(look);
      resolve(companionGone);
    }, lookEveryMs);
    look.unref();
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    // Somebody else's process is alive all the same.
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
  }
}
