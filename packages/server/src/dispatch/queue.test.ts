import type { LiveEvent } from '@dialoglens/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dispatchLaboratory, type Laboratory } from '../testing/dispatch-laboratory.ts';

let lab: Laboratory;
beforeEach(() => {
  lab = dispatchLaboratory();
});
afterEach(() => lab.close());

const wish = '{"transcriptionEnabled":true}';

function openRoom(room: string, metadata = ''): void {
  lab.directory.open(room, metadata);
  lab.directory.join(room, 'ann');
}

/** Rooms that wait, in their places. */
async function queue(): Promise<(string | null)[]> {
  const waiting = (await lab.registry.rooms()).filter(({ status }) => status === 'queued');
  const places: (string | null)[] = [];
  for (const { room, queuePosition } of waiting) {
    if (queuePosition !== null) places[queuePosition - 1] = room;
  }
  return places;
}

describe('the queue', () => {
  it('serves the higher priority first, then whoever asked first', async () => {
    const worker = await lab.worker('agt_a', 1);
    const { control } = await lab.dispatcher();
    for (const room of ['busy', 'first', 'second', 'vip', 'third']) openRoom(room);
    await control.start('busy', {}, 'test');
    for (const [room, priority] of [
      ['first', 0],
      ['second', 0],
      ['vip', 5],
      ['third', 0],
    ] as const) {
      await lab.clock.advance(1000);
      expect(await control.start(room, {}, 'test', priority)).toMatchObject({ status: 'queued' });
    }
    await lab.clock.advance(1000);
    expect(await queue()).toEqual(['vip', 'first', 'second', 'third']);
    const served: string[] = [];
    for (let i = 0; i < 4; i++) {
      const room = [...worker.rooms.keys()][0] ?? '';
      await control.stop(room, 'test');
      await lab.clock.advance(5000);
      served.push(...worker.rooms.keys());
    }
    expect(served).toEqual(['vip', 'first', 'second', 'third']);
  });

  it('keeps the place of a room that is asked for again, and moves one whose priority changes', async () => {
    await lab.worker('agt_a', 1);
    const { control } = await lab.dispatcher();
    for (const room of ['busy', 'a', 'b']) openRoom(room);
    for (const room of ['busy', 'a', 'b']) {
      await control.start(room, {}, 'test');
      await lab.clock.advance(1000);
    }
    expect(await control.start('a', { language: 'de' }, 'test')).toMatchObject({ queuePosition: 1 });
    expect(await control.setPriority('b', 1, 'key ops')).toMatchObject({
      status: 'queued',
      reason: 'all slots busy',
      queuePosition: 1,
      demand: { priority: 1 },
    });
    await lab.clock.advance(1000);
    expect(await queue()).toEqual(['b', 'a']);
    expect(await control.setPriority('nobody asked', 1, 'key ops')).toBeNull();
    expect(lab.store.audited).toContainEqual({ actor: 'key ops', action: 'set-priority', target: 'b' });
  });

  it('tells whoever listens why a room waits, in which place, and when that changes', async () => {
    await lab.worker('agt_a', 1);
    const { control } = await lab.dispatcher();
    const heard: LiveEvent[] = [];
    lab.registry.subscribe('b', (event) => heard.push(event));
    for (const room of ['busy', 'a', 'b']) openRoom(room);
    for (const room of ['busy', 'a', 'b']) {
      await control.start(room, {}, 'test');
      await lab.clock.advance(1000);
    }
    await control.stop('a', 'test');
    await lab.clock.advance(1000);
    await control.stop('busy', 'test');
    await lab.clock.advance(5000);
    const wait = { type: 'room', room: 'b', status: 'queued', reason: 'all slots busy' };
    expect(heard.slice(0, 2)).toEqual([
      { ...wait, queuePosition: 2 },
      { ...wait, queuePosition: 1 },
    ]);
    expect(heard).toContainEqual(
      expect.objectContaining({ type: 'session', status: 'active', sessionId: 'ses_2' }),
    );
  });

  it('sets a place and a reason right that reached the registry late, after a newer one', async () => {
    await lab.worker('agt_a', 1);
    const { control } = await lab.dispatcher();
    for (const room of ['busy', 'a', 'b']) {
      openRoom(room);
      await control.start(room, {}, 'test');
      await lab.clock.advance(1000);
    }
    const before = await lab.registry.room('b');
    if (before === null) throw new Error('b does not wait');
    for (const late of [{ queuePosition: 1 }, { reason: 'no agent ready' }]) {
      await lab.registry.setRoom({ ...before, ...late });
      await lab.clock.advance(7000);
      expect(await queue()).toEqual(['a', 'b']);
      expect(await lab.registry.room('b')).toEqual(before);
    }
  });

  it('loses nobody and no place when every dispatcher is started anew', async () => {
    await lab.worker('agt_a', 1);
    const first = await lab.dispatcher();
    for (const room of ['z', 'y', 'x', 'w']) openRoom(room);
    for (const [room, priority] of [
      ['z', 0],
      ['y', 0],
      ['x', 0],
      ['w', 3],
    ] as const) {
      await first.control.start(room, {}, 'test', priority);
      await lab.clock.advance(1000);
    }
    await lab.stopDispatchers();
    // Meanwhile the slot becomes free.
    lab.directory.close('z');
    await lab.store.leases.releaseAll('agt_a');
    await lab.dispatcher();
    await lab.clock.advance(7000);
    expect(lab.held()).toEqual({ w: 'agt_a' });
    expect(await queue()).toEqual(['y', 'x']);
  });
});

describe('a full queue', () => {
  const full = { code: 'queue_full', field: 'dispatch.queueLimit' };

  it('refuses a start that would have to wait, and nothing else', async () => {
    await lab.worker('agt_a', 1);
    const { control } = await lab.dispatcher({ queueLimit: 2 });
    for (const room of ['busy', 'a', 'b', 'c', 'vip']) openRoom(room);
    for (const room of ['busy', 'a', 'b']) {
      await control.start(room, {}, 'test');
      await lab.clock.advance(100);
    }
    await expect(control.start('c', {}, 'test')).rejects.toMatchObject(full);
    expect(await control.room('c')).toBeNull();
    expect(await control.start('a', {}, 'test')).toMatchObject({ status: 'queued', queuePosition: 1 });
    expect(await control.start('not begun', {}, 'test')).toMatchObject({ status: 'armed' });
    expect(await control.start('vip', {}, 'test', 9)).toMatchObject({ status: 'queued', queuePosition: 1 });
    await lab.clock.advance(1000);
    expect(await control.room('b')).toMatchObject({
      status: 'queued',
      reason: 'queue full',
      queuePosition: null,
    });
    await lab.worker('agt_b', 3);
    await lab.clock.advance(7000);
    expect(Object.keys(lab.held()).sort()).toEqual(['a', 'b', 'busy', 'vip']);
    expect(await control.start('c', {}, 'test')).toMatchObject({ status: 'queued', queuePosition: 1 });
  });

  it('shows rooms that ask by metadata as waiting without a place, and serves them in their turn', async () => {
    const worker = await lab.worker('agt_a', 1);
    const { control } = await lab.dispatcher({ queueLimit: 1 });
    for (const room of ['a', 'b', 'c']) {
      openRoom(room, wish);
      await lab.clock.advance(7000);
    }
    expect(await control.room('c')).toMatchObject({ status: 'queued', reason: 'queue full' });
    await control.stop('a', 'test');
    await lab.clock.advance(7000);
    expect([...worker.rooms.keys()]).toEqual(['b']);
    expect(await control.room('c')).toMatchObject({ reason: 'all slots busy', queuePosition: 1 });
  });
});
