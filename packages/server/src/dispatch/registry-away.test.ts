import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { roomPictureTtlMs } from '../registry/agent-registry.ts';
import { dispatchLaboratory, type Laboratory } from '../testing/dispatch-laboratory.ts';

let lab: Laboratory;
beforeEach(() => {
  lab = dispatchLaboratory();
});
afterEach(() => lab.close());

const wish = '{"transcriptionEnabled":true}';
const away = 'registry unreachable';

/** A room with somebody who speaks, served by a worker. */
async function served() {
  const worker = await lab.worker('agt_a');
  const dispatcher = await lab.dispatcher();
  lab.directory.open('r', wish);
  lab.directory.join('r', 'ann');
  await lab.clock.advance(7000);
  expect(lab.held()).toEqual({ r: 'agt_a' });
  return { worker, dispatcher };
}

describe('while the registry is away', () => {
  it('leaves every lease alone, says why, and goes on as before when it is back', async () => {
    const { worker, dispatcher } = await served();
    lab.outage.registry = true;
    await lab.clock.advance(60_000);
    expect(lab.store.held()).toMatchObject([{ room: 'r', holder: 'agt_a', epoch: 1 }]);
    expect(worker.rooms.size).toBe(1);
    expect(dispatcher.health().registry).toMatchObject({ ok: false });
    expect(await dispatcher.control.room('r')).toMatchObject({ status: 'active', agentId: 'agt_a' });
    expect(await dispatcher.control.rooms()).toMatchObject([{ room: 'r', status: 'active' }]);
    lab.outage.registry = false;
    await lab.clock.advance(3000);
    expect(await lab.registry.room('r')).toMatchObject({ status: 'active', reason: 'active' });
    expect(dispatcher.health().registry).toEqual({ ok: true });
    expect(worker.commands.filter(({ type }) => type === 'assign')).toHaveLength(1);
    expect(lab.logged('error')).toEqual([]);
  });

  it('queues a new room with the reason and assigns it within a second of its return', async () => {
    await lab.worker('agt_a');
    const { control } = await lab.dispatcher();
    await lab.clock.advance(1000);
    lab.outage.registry = true;
    lab.directory.open('r');
    lab.directory.join('r', 'ann');
    const queued = { status: 'queued', reason: away, sessionId: null, queuePosition: 1 };
    expect(await control.start('r', {}, 'x')).toEqual(queued);
    await lab.clock.advance(20_000);
    expect(await control.room('r')).toMatchObject({ status: 'queued', reason: away, queuePosition: 1 });
    expect(lab.held()).toEqual({});
    expect(lab.metrics.gauge('queue_depth')).toBe(1);
    lab.outage.registry = false;
    await lab.clock.advance(1100);
    expect(lab.held()).toEqual({ r: 'agt_a' });
  });

  it('keeps a stop in mind and tells the worker afterwards', async () => {
    const { worker, dispatcher } = await served();
    lab.outage.registry = true;
    expect(await dispatcher.control.stop('r', 'x')).toMatchObject({ status: 'stopped', sessionId: 'ses_1' });
    await lab.clock.advance(10_000);
    expect(lab.held()).toEqual({ r: 'agt_a' });
    lab.outage.registry = false;
    await lab.clock.advance(10_000);
    expect(lab.held()).toEqual({});
    expect(worker.rooms.size).toBe(0);
    expect(lab.store.sessions()).toMatchObject([{ endReason: 'stopped' }]);
  });

  it('takes the rooms of a worker that died meanwhile over as soon as it is back', async () => {
    const { worker } = await served();
    await lab.worker('agt_b');
    lab.outage.registry = true;
    worker.kill();
    await lab.clock.advance(20_000);
    expect(lab.held()).toEqual({ r: 'agt_a' });
    lab.outage.registry = false;
    await lab.clock.advance(1500);
    expect(lab.held()).toEqual({ r: 'agt_b' });
    expect(lab.metrics.counted('takeovers_total', { cause: 'worker lost' })).toBe(1);
  });
});

describe('pictures that the registry lost', () => {
  it('are back within ten seconds, and nothing is assigned twice', async () => {
    const { worker } = await served();
    lab.directory.open('waits', wish);
    await lab.clock.advance(7000);
    const before = await lab.registry.rooms();
    expect(before).toHaveLength(2);
    for (const { room } of before) await lab.registry.removeRoom(room);
    await lab.registry.forget('agt_a');
    await lab.clock.advance(10_000);
    expect(await lab.registry.rooms()).toEqual(before);
    expect(await lab.registry.agents()).toHaveLength(1);
    expect(worker.commands.filter(({ type }) => type === 'assign')).toHaveLength(1);
  });

  it('are published late when they changed while it could not be reached', async () => {
    const { dispatcher } = await served();
    lab.directory.open('empty', wish);
    await dispatcher.control.start('later', {}, 'x');
    await lab.clock.advance(7000);
    lab.outage.registry = true;
    for (const room of ['empty', 'later']) await dispatcher.control.stop(room, 'x');
    await lab.clock.advance(1000);
    expect(await lab.registry.room('empty')).toMatchObject({ status: 'idle' });
    expect(await lab.registry.room('later')).toMatchObject({ status: 'armed' });
    lab.outage.registry = false;
    await lab.clock.advance(1000);
    expect(await lab.registry.room('empty')).toMatchObject({ status: 'stopped' });
    expect(await lab.registry.room('later')).toBeNull();
  });

  it('do not run out while nothing changes', async () => {
    await served();
    const set: number[] = [];
    const { setRoom } = lab.registry;
    lab.registry.setRoom = (picture) => {
      set.push(lab.clock.monotonicMs());
      return setRoom.call(lab.registry, picture);
    };
    await lab.clock.advance(roomPictureTtlMs);
    const pauses = set.slice(1).map((ms, index) => ms - (set[index] ?? 0));
    expect(set.length).toBeGreaterThan(1);
    expect(Math.max(...pauses)).toBeLessThan(roomPictureTtlMs / 2);
    expect(set.length).toBeLessThan(10);
  });
});
