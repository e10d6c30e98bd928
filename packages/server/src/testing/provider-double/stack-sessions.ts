import { setTimeout as delay } from 'node:timers/promises';
import type { LiveStack } from '../live-stack.ts';

const patienceMs = 60_000;
const lookEveryMs = 50;

/** Resolves when an agent is in the room and hears somebody. */
export async function untilActive(stack: LiveStack, room: string): Promise<void> {
  const isActive = async () => (await stack.app.registry.room(room))?.status === 'active';
  await until(isActive, `no agent comes into ${room}`);
}

/** The id of the newest session of the room, once it has ended. */
export async function endedSession(stack: LiveStack, room: string): Promise<string> {
  let id = '';
  await until(async () => {
    const { items } = await stack.app.store.record.listSessions({ limit: 1 }, { room });
    id = items[0]?.id ?? '';
    return id !== '' && items[0]?.endedAt !== null;
  }, `the session of ${room} does not end`);
  return id;
}

async function until(isTrue: () => Promise<boolean>, otherwise: string): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(otherwise);
    await delay(lookEveryMs);
  }
}
