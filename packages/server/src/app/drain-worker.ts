import type { AgentWorker } from '../agent/agent-worker.ts';
import type { Logger } from '../observability/telemetry.ts';

const lookEveryMs = 1_000;
/** A wait in which nothing happens says this often that it goes on. */
const signOfLifeMs = 10_000;

/**
 * Tells a worker to take no more rooms, and waits until the dispatchers have moved those it has, or until the deadline.
 * Logs how many rooms it waits for, never their names.
 */
export async function drainWorker(
  worker: Pick<AgentWorker, 'drain' | 'drained' | 'rooms'>,
  { reason, deadlineMs, logger }: { reason: string; deadlineMs: number; logger: Logger },
): Promise<void> {
  const until = performance.now() + deadlineMs;
  await worker.drain().catch((thrown: unknown) => {
    logger.warn({ err: thrown }, 'the dispatchers could not be told at once; the next heartbeat does');
  });
  let saidRooms = -1;
  let saidAt = 0;
  for (;;) {
    const rooms = worker.rooms.length;
    if (rooms === 0) break;
    const leftMs = until - performance.now();
    if (leftMs <= 0) break;
    if (rooms !== saidRooms || performance.now() - saidAt > signOfLifeMs) {
      const seconds = Math.ceil(leftMs / 1000);
      logger.info({ reason, rooms, seconds }, 'draining: waiting for rooms to be handed over');
      saidRooms = rooms;
      saidAt = performance.now();
    }
    await worker.drained(Math.min(leftMs, lookEveryMs));
  }
  const rooms = worker.rooms.length;
  if (rooms === 0) return logger.info({ reason }, 'drained: no room is left');
  const remedy = 'Give the cluster more slots, or the worker a longer agent.drainDeadlineMs.';
  logger.warn({ reason, rooms, remedy }, 'the deadline is over: leaving rooms that found no other worker');
}
