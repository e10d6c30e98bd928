import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TranscriptionControl } from '../api/ports.ts';
import { dispatchLaboratory, type Laboratory } from '../testing/dispatch-laboratory.ts';
import type { FakeWorker } from '../testing/fake-worker.ts';

let lab: Laboratory;
let old: FakeWorker;
let control: TranscriptionControl;
beforeEach(async () => {
  lab = dispatchLaboratory();
  old = await lab.worker('agt_old', 10);
  control = (await lab.dispatcher()).control;
});
afterEach(() => lab.close());

async function serve(...rooms: string[]): Promise<void> {
  for (const room of rooms) {
    lab.directory.open(room);
    lab.directory.join(room, 'ann');
    await control.start(room, {}, 'x');
  }
  await lab.clock.advance(1500);
}
const told = (worker: FakeWorker, type: string) => worker.commands.filter((command) => command.type === type);
const results = (result: string) => lab.metrics.counted('handovers_total', { result });

describe('a room whose worker drains', () => {
  it('is prepared for a successor, which warms up, and passes to it in one session', async () => {
    await serve('r');
    const next = await lab.worker('agt_next');
    next.warmsUpMs = 800;
    old.status = 'draining';
    await lab.clock.advance(1050);
    expect(next.standby.get('r')).toMatchObject({ epoch: 2, standby: true, sessionId: 'ses_1' });
    expect(lab.held()).toEqual({ r: 'agt_old' });
    expect(await control.room('r')).toMatchObject({ status: 'active', reason: 'handing over' });
    await lab.clock.advance(2500);
    expect(lab.held()).toEqual({ r: 'agt_next' });
    expect(lab.store.held()).toMatchObject([{ epoch: 2, successor: null, sessionId: 'ses_1', strikes: 0 }]);
    expect(await control.room('r')).toMatchObject({
      status: 'active',
      reason: 'active',
      agentId: 'agt_next',
    });
    expect(lab.directory.identities('r')).toEqual(['ann', 'agent-agt_next-2']);
    expect(old.rooms.size).toBe(0);
    expect(results('done')).toBe(1);
    expect(lab.metrics.observed('handover_seconds')).toHaveLength(1);
    await lab.clock.advance(10_000);
    expect(next.commands.map(({ type }) => type)).toEqual(['assign', 'promote', 'settings']);
  });

  it('never looks unserved to the API on the way', async () => {
    await serve('r');
    await lab.worker('agt_next');
    old.status = 'draining';
    const seen = new Set<string>();
    for (let i = 0; i < 100; i++) {
      await lab.clock.advance(50);
      seen.add((await control.room('r'))?.status ?? 'none');
    }
    expect([...seen]).toEqual(['active']);
    expect(lab.held()).toEqual({ r: 'agt_next' });
  });

  it('stays where it is while nobody has a slot, says so, and moves when there is one', async () => {
    await serve('r');
    old.status = 'draining';
    await lab.clock.advance(3000);
    expect(await control.room('r')).toMatchObject({
      status: 'active',
      reason: 'no other worker has a slot',
      agentId: 'agt_old',
    });
    await lab.worker('agt_next');
    await lab.clock.advance(3000);
    expect(lab.held()).toEqual({ r: 'agt_next' });
  });

  it('says when the slots there are belong to workers of a version that is refused', async () => {
    await serve('r');
    (await lab.worker('agt_strange')).version = '9.0.0';
    await lab.clock.advance(1000);
    old.status = 'draining';
    await lab.clock.advance(3000);
    expect(await control.room('r')).toMatchObject({ reason: 'worker version', agentId: 'agt_old' });
  });

  it('waits for its turn behind rooms of higher priority that have no agent at all', async () => {
    await serve('r');
    old.status = 'draining';
    lab.directory.open('vip');
    lab.directory.join('vip', 'ann');
    const settings = { room: 'vip', wanted: true, source: 'api', settings: {} } as const;
    await lab.store.demands.put({ ...settings, priority: 10, roomSid: null });
    await lab.clock.advance(6000);
    await lab.worker('agt_small', 1);
    await lab.clock.advance(6000);
    expect(lab.held()).toEqual({ r: 'agt_old', vip: 'agt_small' });
  });

  it('moves at most four rooms of one worker at a time, and all of them in the end', async () => {
    const rooms = Array.from({ length: 10 }, (_, i) => `r${i}`);
    await serve(...rooms);
    const next = await lab.worker('agt_next', 20);
    old.status = 'draining';
    let most = 0;
    const reasons = new Set<string>();
    for (let i = 0; i < 200; i++) {
      await lab.clock.advance(50);
      most = Math.max(most, lab.store.held().filter((lease) => lease.successor !== null).length);
      for (const view of await control.rooms()) reasons.add(view.reason);
    }
    expect(most).toBe(4);
    expect(reasons).toContain('handover waits');
    expect([...next.rooms.keys()].sort()).toEqual(rooms);
    expect(results('done')).toBe(10);
  });
});

describe('when something is lost on the way', () => {
  it('repeats what was not answered', async () => {
    await serve('r');
    const next = await lab.worker('agt_next');
    next.answer = 'deaf';
    old.pausesAfterMs = null;
    old.status = 'draining';
    await lab.clock.advance(1300);
    expect(told(next, 'assign')).toHaveLength(1);
    next.answer = 'join';
    await lab.clock.advance(4000);
    expect(told(next, 'assign').length).toBeGreaterThan(1);
    expect(told(old, 'handover').length).toBeGreaterThan(1);
    expect(lab.held()).toEqual({ r: 'agt_old' });
    old.pausesAfterMs = 100;
    await lab.clock.advance(2000);
    expect(lab.held()).toEqual({ r: 'agt_next' });
  });

  it('goes on although the successor was not told that it is its turn', async () => {
    await serve('r');
    const next = await lab.worker('agt_next');
    old.promotes = false;
    old.status = 'draining';
    await lab.clock.advance(4000);
    expect(next.rooms.get('r')?.epoch).toBe(2);
    expect(await control.room('r')).toMatchObject({ status: 'active', agentId: 'agt_next' });
  });

  it('replaces a successor that died', async () => {
    await serve('r');
    const first = await lab.worker('agt_first');
    first.warmsUpMs = null;
    old.status = 'draining';
    await lab.clock.advance(1500);
    expect(first.standby.size).toBe(1);
    const second = await lab.worker('agt_second');
    first.kill();
    await lab.clock.advance(5000);
    expect(lab.held()).toEqual({ r: 'agt_second' });
    expect(second.rooms.get('r')?.epoch).toBe(2);
    expect(results('successor lost')).toBe(1);
    expect(results('done')).toBe(1);
  });

  it('replaces a successor that cannot join, and takes what it left out of the room', async () => {
    await serve('r');
    const broken = await lab.worker('agt_broken');
    broken.answer = 'fail';
    old.status = 'draining';
    await lab.clock.advance(5000);
    expect(lab.store.held()[0]?.successor).toBeNull();
    expect(await control.room('r')).toMatchObject({ status: 'active', agentId: 'agt_old' });
    expect(told(broken, 'assign').length).toBeLessThan(3);
    await lab.worker('agt_good');
    await lab.clock.advance(5000);
    expect(lab.held()).toEqual({ r: 'agt_good' });
    expect(lab.metrics.counted('assignments_total', { result: 'failed' })).toBe(0);
  });

  it('gives up a successor that does not come to hear everything', async () => {
    await serve('r');
    const slow = await lab.worker('agt_slow');
    slow.warmsUpMs = null;
    old.status = 'draining';
    await lab.clock.advance(14_000);
    expect(slow.standby.size).toBe(1);
    await lab.worker('agt_quick');
    await lab.clock.advance(6000);
    expect(lab.held()).toEqual({ r: 'agt_quick' });
    expect(slow.standby.size).toBe(0);
  });

  it('prefers the successor when the holder dies, without a second join', async () => {
    await serve('r');
    const next = await lab.worker('agt_next');
    old.pausesAfterMs = null;
    old.status = 'draining';
    await lab.clock.advance(2500);
    expect(next.standby.size).toBe(1);
    await lab.worker('agt_empty', 50);
    old.kill();
    await lab.clock.advance(6000);
    expect(lab.held()).toEqual({ r: 'agt_next' });
    expect(next.rooms.get('r')?.epoch).toBe(2);
    expect(told(next, 'assign')).toHaveLength(1);
    expect(told(next, 'promote')).toHaveLength(1);
    expect(results('holder lost')).toBe(1);
    expect(lab.metrics.counted('takeovers_total', { cause: 'worker lost' })).toBe(1);
  });

  it('keeps the warm successor when the holder leaves without handing over', async () => {
    await serve('r');
    const next = await lab.worker('agt_next');
    old.pausesAfterMs = null;
    old.status = 'draining';
    await lab.clock.advance(2500);
    await lab.worker('agt_empty', 50);
    await old.leave('r', 'deadline', false);
    await lab.clock.advance(3000);
    expect(lab.held()).toEqual({ r: 'agt_next' });
    expect(lab.directory.identities('r')).toEqual(['ann', 'agent-agt_next-2']);
    expect(next.rooms.get('r')?.epoch).toBe(2);
  });

  it('carries on with another dispatcher', async () => {
    await serve('r');
    const next = await lab.worker('agt_next');
    old.pausesAfterMs = null;
    old.status = 'draining';
    await lab.clock.advance(2500);
    await lab.dispatcher();
    await lab.clock.advance(500);
    old.pausesAfterMs = 100;
    await lab.clock.advance(3000);
    expect(lab.held()).toEqual({ r: 'agt_next' });
    expect(next.rooms.get('r')?.epoch).toBe(2);
    expect(results('done')).toBe(1);
  });

  it('survives the death of every dispatcher in the middle', async () => {
    const second = await lab.dispatcher();
    await serve('r');
    const next = await lab.worker('agt_next');
    next.warmsUpMs = null;
    old.status = 'draining';
    await lab.clock.advance(2000);
    expect(next.standby.size).toBe(1);
    await second.stop('test');
    await lab.stopDispatchers();
    next.warmsUpMs = 300;
    await lab.dispatcher();
    await lab.clock.advance(5000);
    expect(lab.held()).toEqual({ r: 'agt_next' });
    expect(lab.store.held()[0]?.epoch).toBe(2);
  });
});

describe('a handover without a point', () => {
  beforeEach(async () => {
    await serve('r');
    old.pausesAfterMs = null;
    old.status = 'draining';
  });

  it('is called off when the holder does not drain any more', async () => {
    const next = await lab.worker('agt_next');
    await lab.clock.advance(2500);
    expect(next.standby.size).toBe(1);
    old.status = 'ready';
    await lab.clock.advance(2000);
    expect(next.standby.size).toBe(0);
    expect(lab.store.held()).toMatchObject([{ holder: 'agt_old', epoch: 1, successor: null }]);
    expect(lab.directory.identities('r')).toEqual(['ann', 'agent-agt_old-1']);
    expect(results('called off')).toBe(1);
  });

  it('ends with the wish for the room', async () => {
    const next = await lab.worker('agt_next');
    await lab.clock.advance(2500);
    await control.stop('r', 'x');
    await lab.clock.advance(10_000);
    expect(lab.held()).toEqual({});
    expect([next.standby.size, next.rooms.size, old.rooms.size]).toEqual([0, 0, 0]);
    expect(lab.directory.identities('r')).toEqual(['ann']);
  });

  it('moves on when the successor drains too', async () => {
    const next = await lab.worker('agt_next');
    await lab.clock.advance(2500);
    next.status = 'draining';
    await lab.clock.advance(1000);
    expect(await control.room('r')).toMatchObject({ status: 'active', reason: 'no other worker has a slot' });
    expect(lab.store.held()[0]?.successor).toBeNull();
    await lab.worker('agt_third');
    old.pausesAfterMs = 100;
    await lab.clock.advance(4000);
    expect(lab.held()).toEqual({ r: 'agt_third' });
    expect(next.standby.size).toBe(0);
  });
});
