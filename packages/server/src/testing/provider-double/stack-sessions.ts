import type { LiveStack } from '../live-stack.ts';
import { until } from '../until.ts';

const patienceMs = 60_000;

/** Resolves when an agent is in the room and hears somebody. */
export async function untilActive(stack: LiveStack, room: string): Promise<void> {
  const isActive = async () => (await stack.app.registry.room(room))?.status === 'active';
  await until(`an agent comes into ${room}`, patienceMs, isActive);
}

/** The id of the newest session of the room, once it has ended. */
export async function endedSession(stack: LiveStack, room: string): Promise<string> {
  let id = '';
  await until(`the session of ${room} ends`, patienceMs, async () => {
    const { items } = await stack.app.store.record.listSessions({ limit: 1 }, { room });
    id = items[0]?.id ?? '';
    return id !== '' && items[0]?.endedAt !== null;
  });
  return id;
}
