import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TranscriptionControl } from '../api/ports.ts';
import { dispatchLaboratory, type Laboratory } from '../testing/dispatch-laboratory.ts';
import type { FakeWorker } from '../testing/fake-worker.ts';

let lab: Laboratory;
let control: TranscriptionControl;
let workers = 0;
beforeEach(async () => {
  lab = dispatchLaboratory();
  workers = 0;
  control = (await lab.dispatcher()).control;
});
afterEach(() => lab.close());

/** A worker that dies of the room `poison`. */
async function mortal(slots = 4): Promise<FakeWorker> {
  const worker = await lab.worker(`agt_${++workers}`, slots);
  worker.poison.add('poison');
  return worker;
}
async function open(...rooms: string[]): Promise<void> {
  for (const room of rooms) {
    lab.directory.open(room);
    lab.directory.join(room, 'ann');
    await control.start(room, {}, 'x');
  }
}
const strikes = async () =>
  Object.fromEntries((await lab.store.leases.struck()).map(({ room, strikes: count }) => [room, count]));

describe('a room in which workers die', () => {
  it('is quarantined after the second death, tried alone after a while, and left alone for longer', async () => {
    for (let i = 0; i < 3; i++) await mortal();
    await open('good', 'poison');
    await lab.clock.advance(20_000);
    expect(await control.room('poison')).toMatchObject({
      status: 'queued',
      reason: 'quarantined',
      queuePosition: 1,
    });
    expect(await strikes()).toMatchObject({ poison: 2 });
    expect(lab.held()).toEqual({ good: expect.any(String) });
    expect(lab.metrics.gauge('rooms_quarantined')).toBe(1);
    const spare = await mortal();
    await lab.clock.advance(40_000);
    expect(await control.room('poison')).toMatchObject({ reason: 'quarantined' });
    await lab.clock.advance(30_000);
    expect(spare.commands.filter(({ type }) => type === 'assign')).toHaveLength(1);
    expect(await strikes()).toEqual({ poison: 3 });
    await mortal();
    await lab.clock.advance(60_000);
    expect(await control.room('poison')).toMatchObject({ status: 'queued', reason: 'quarantined' });
    expect(await control.room('good')).toMatchObject({ status: 'active' });
  });

  it('does not make rooms suspect that died with it once its guilt is likely', async () => {
    for (let i = 0; i < 2; i++) await mortal();
    await open('poison');
    await lab.clock.advance(3200);
    await open('guest 1', 'guest 2', 'guest 3');
    await lab.clock.advance(20_000);
    expect(await strikes()).toEqual({ poison: 2 });
    expect(await control.room('guest 1')).toMatchObject({ status: 'queued', reason: 'no agents' });
    await mortal();
    await lab.clock.advance(3000);
    expect(await control.room('guest 1')).toMatchObject({ status: 'active' });
    expect(await strikes()).toEqual({ poison: 2 });
  });

  it('waits for a worker of its own, and is alone there until it has been quiet for a minute', async () => {
    const first = await mortal();
    await open('poison');
    await lab.clock.advance(6000);
    const second = await mortal();
    await lab.clock.advance(10_000);
    expect([first.rooms.size, second.rooms.size]).toEqual([0, 0]);
    const third = await lab.worker('agt_sound', 4);
    await open('other');
    await lab.clock.advance(90_000);
    // Its time is over, but the only worker serves another room.
    expect(await control.room('poison')).toMatchObject({ status: 'queued', reason: 'quarantined' });
    const fourth = await lab.worker('agt_own', 4);
    await lab.clock.advance(3000);
    expect([...fourth.rooms.keys()]).toEqual(['poison']);
    await open('late 1', 'late 2', 'late 3', 'late 4');
    await lab.clock.advance(3000);
    expect([...third.rooms.keys()].sort()).toEqual(['late 1', 'late 2', 'late 3', 'other']);
    expect(await control.room('late 4')).toMatchObject({ status: 'queued', reason: 'all slots busy' });
    await lab.clock.advance(65_000);
    expect(await strikes()).toEqual({});
    expect([...fourth.rooms.keys()].sort()).toEqual(['late 4', 'poison']);
  });

  it('is tried again at once when somebody starts it', async () => {
    for (let i = 0; i < 2; i++) await mortal();
    await open('poison');
    await lab.clock.advance(15_000);
    expect(await control.room('poison')).toMatchObject({ reason: 'quarantined' });
    const sound = await lab.worker('agt_sound');
    expect(await control.start('poison', {}, 'x')).toMatchObject({ status: 'assigned' });
    await lab.clock.advance(1000);
    expect([...sound.rooms.keys()]).toEqual(['poison']);
    expect(await strikes()).toEqual({});
  });

  it('is forgotten with the room', async () => {
    for (let i = 0; i < 2; i++) await mortal();
    await open('poison');
    await lab.clock.advance(15_000);
    lab.directory.close('poison');
    await lab.clock.advance(30_000);
    expect(await strikes()).toEqual({});
  });
});

describe('strikes', () => {
  it('are not given for a worker that died before it was told of the room', async () => {
    const dead = await lab.worker('agt_dead');
    await lab.clock.advance(500);
    dead.kill();
    await open('r');
    await lab.clock.advance(200);
    expect(lab.held()).toEqual({ r: 'agt_dead' });
    await lab.worker('agt_next');
    await lab.clock.advance(8000);
    expect(lab.held()).toEqual({ r: 'agt_next' });
    expect(await strikes()).toEqual({});
  });

  it('are not given for a worker that lives and does not renew', async () => {
    const stuck = await lab.worker('agt_stuck');
    await open('r');
    await lab.clock.advance(3000);
    stuck.renews = false;
    await lab.worker('agt_next');
    await lab.clock.advance(8000);
    expect(lab.held()).toEqual({ r: 'agt_next' });
    expect(await strikes()).toEqual({});
  });

  it('are given for a death, spread the rooms over workers, and are forgotten after a quiet minute', async () => {
    const dead = await lab.worker('agt_dead', 3);
    await open('a', 'b', 'c');
    await lab.clock.advance(3000);
    const others = [await lab.worker('agt_1', 9), await lab.worker('agt_2', 3), await lab.worker('agt_3', 1)];
    dead.kill();
    await lab.clock.advance(8000);
    expect(await strikes()).toEqual({ a: 1, b: 1, c: 1 });
    expect(others.map((worker) => worker.rooms.size)).toEqual([1, 1, 1]);
    await lab.clock.advance(62_000);
    expect(await strikes()).toEqual({});
  });
});
