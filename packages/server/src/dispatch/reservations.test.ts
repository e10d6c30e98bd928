import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dispatchLaboratory, type Laboratory } from '../testing/dispatch-laboratory.ts';

let lab: Laboratory;
beforeEach(() => {
  lab = dispatchLaboratory();
});
afterEach(() => lab.close());

const minuteMs = 60_000;

function openRoom(room: string): void {
  lab.directory.open(room, '{"transcriptionEnabled":true}');
  lab.directory.join(room, 'ann');
}

function slotFor(room: string, inMs: number, holdMs = 15 * minuteMs) {
  const startsAt = lab.clock.nowMs() + inMs;
  return { room, startsAt, endsAt: startsAt + holdMs };
}

describe('a reservation', () => {
  it('keeps a slot from others, and gives it to its room although others wait', async () => {
    await lab.worker('agt_a', 2);
    const { control } = await lab.dispatcher();
    expect(await control.reserve(slotFor('board', 2 * minuteMs), 'key ops')).toMatchObject({
      status: 'held',
    });
    for (const room of ['a', 'b', 'c']) {
      openRoom(room);
      await lab.clock.advance(7000);
    }
    expect(lab.held()).toEqual({ a: 'agt_a' });
    expect(await control.room('b')).toMatchObject({ status: 'queued', queuePosition: 1 });
    expect(await control.capacity()).toMatchObject({ slots: { total: 2, used: 1, reserved: 1 } });
    openRoom('board');
    await lab.clock.advance(7000);
    expect(lab.held()).toEqual({ a: 'agt_a', board: 'agt_a' });
    expect(await control.reservations()).toMatchObject([{ room: 'board', status: 'in use' }]);
    expect(await control.capacity()).toMatchObject({ slots: { used: 2, reserved: 0 } });
    expect(lab.store.audited).toContainEqual({ actor: 'key ops', action: 'reserve', target: 'board' });
  });

  it('keeps nothing long before, and the next slot that becomes free when the time has come', async () => {
    await lab.worker('agt_a', 1);
    const { control } = await lab.dispatcher();
    expect(await control.reserve(slotFor('board', 60 * minuteMs), 'x')).toMatchObject({ status: 'planned' });
    openRoom('early');
    await lab.clock.advance(7000);
    expect(lab.held()).toEqual({ early: 'agt_a' });
    await lab.clock.advance(56 * minuteMs);
    expect(await control.reservations()).toMatchObject([{ status: 'no slot free' }]);
    openRoom('late');
    await lab.clock.advance(7000);
    await control.stop('early', 'x');
    await lab.clock.advance(10_000);
    expect(lab.held()).toEqual({});
    expect(await control.reservations()).toMatchObject([{ status: 'held' }]);
  });

  it('is given up when its room has not begun in time, or when it is cancelled', async () => {
    await lab.worker('agt_a', 2);
    const { control } = await lab.dispatcher();
    await control.reserve(slotFor('board', minuteMs, minuteMs), 'x');
    await control.reserve(slotFor('council', minuteMs), 'x');
    openRoom('a');
    openRoom('b');
    await lab.clock.advance(7000);
    expect(lab.held()).toEqual({});
    await lab.clock.advance(2 * minuteMs);
    expect(Object.keys(lab.held())).toHaveLength(1);
    expect(await control.cancelReservation('council', 'x')).toBe(true);
    expect(await control.cancelReservation('council', 'x')).toBe(false);
    await lab.clock.advance(7000);
    expect(Object.keys(lab.held()).sort()).toEqual(['a', 'b']);
    await lab.clock.advance(minuteMs);
    expect(await lab.store.reservations.list()).toEqual([]);
  });

  it('never keeps a slot from a room that lost its worker', async () => {
    const dies = await lab.worker('agt_a', 1);
    const { control } = await lab.dispatcher();
    openRoom('a');
    await lab.clock.advance(7000);
    await lab.worker('agt_b', 1);
    await control.reserve(slotFor('board', 0), 'x');
    dies.kill();
    await lab.clock.advance(7000);
    expect(lab.held()).toEqual({ a: 'agt_b' });
  });

  it('takes one slot of its room while that waits, not another for its place in the queue', async () => {
    const bounds = { min: 0, max: 9, scaleUpAt: 1, slotsPerAgent: 1 };
    const { control } = await lab.dispatcher({}, undefined, { bounds });
    await control.reserve(slotFor('board', 0), 'x');
    for (const room of ['board', 'a']) {
      openRoom(room);
      await lab.clock.advance(7000);
    }
    expect(await control.room('a')).toMatchObject({ status: 'queued', queuePosition: 2 });
    expect(await control.capacity()).toMatchObject({ queuedRooms: 2, wantedAgents: 2 });
    // LiveKit is slow to say who is in the room, so that it goes on waiting.
    let answer: (() => void) | undefined;
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const list = lab.directory.listParticipants.bind(lab.directory);
    lab.directory.listParticipants = async (room) => {
      if (room === 'board') await answered;
      return list(room);
    };
    await lab.worker('agt_a', 2);
    await lab.clock.advance(1000);
    expect(lab.held()).toEqual({ a: 'agt_a' });
    answer?.();
    await lab.clock.advance(3000);
    expect(lab.held()).toEqual({ a: 'agt_a', board: 'agt_a' });
  });

  it('is kept through a restart of every dispatcher, and a full queue does not refuse its room', async () => {
    await lab.worker('agt_a', 2);
    const first = await lab.dispatcher();
    await first.control.reserve(slotFor('board', 0), 'x');
    await lab.stopDispatchers();
    openRoom('a');
    openRoom('b');
    const { control } = await lab.dispatcher({ queueLimit: 1 });
    await lab.clock.advance(7000);
    expect(Object.keys(lab.held())).toHaveLength(1);
    openRoom('board');
    expect(await control.start('board', {}, 'x')).toMatchObject({ status: 'assigned' });
  });
});
