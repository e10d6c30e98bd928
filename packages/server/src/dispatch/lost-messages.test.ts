import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WorkerReport } from '../registry/agent-registry.ts';
import { dispatchLaboratory, type Laboratory } from '../testing/dispatch-laboratory.ts';

let lab: Laboratory;
beforeEach(() => {
  lab = dispatchLaboratory();
});
afterEach(() => lab.close());

const wish = '{"transcriptionEnabled":true}';

function openRoom(room: string): void {
  lab.directory.open(room, wish);
  lab.directory.join(room, 'ann');
}

/** Loses what workers report, as long as the test says so. */
function loseReports(isLost: (report: WorkerReport) => boolean): void {
  const { report } = lab.registry;
  lab.registry.report = async (said) => {
    if (!isLost(said)) await report.call(lab.registry, said);
  };
}

describe('when messages are lost', () => {
  it('asks a worker again that has the room, and takes its word whenever it comes', async () => {
    const worker = await lab.worker('agt_a');
    let losses = 4;
    loseReports(({ type }) => type === 'joined' && losses-- > 0);
    await lab.dispatcher();
    openRoom('r');
    await lab.clock.advance(40_000);
    expect(worker.commands.filter(({ type }) => type === 'leave')).toEqual([]);
    expect(lab.store.held()).toMatchObject([{ holder: 'agt_a', epoch: 1 }]);
    expect(await lab.registry.room('r')).toMatchObject({ status: 'active' });
  });

  it('believes a lease that is renewed when the registry was flushed', async () => {
    const worker = await lab.worker('agt_a');
    loseReports(({ type }) => type === 'joined');
    await lab.dispatcher();
    await lab.clock.advance(100);
    openRoom('r');
    const isHidden = () => lab.clock.monotonicMs() > 5_500 && lab.clock.monotonicMs() < 9_500;
    const { agents } = lab.registry;
    lab.registry.agents = async (withinMs) => (isHidden() ? [] : agents.call(lab.registry, withinMs));
    await lab.clock.advance(10_000);
    expect(worker.commands.filter(({ type }) => type === 'leave')).toEqual([]);
    expect(lab.store.held()).toMatchObject([{ holder: 'agt_a', epoch: 1 }]);
  });

  it('does not free the lease of one worker when another leaves under the same epoch', async () => {
    await lab.worker('agt_a');
    await lab.dispatcher();
    openRoom('r');
    await lab.clock.advance(7000);
    const end = { reason: 'not needed', failed: false };
    await lab.registry.report({ type: 'left', agentId: 'agt_b', room: 'r', epoch: 1, ...end });
    await lab.clock.advance(3000);
    expect(lab.store.held()).toMatchObject([{ holder: 'agt_a', epoch: 1 }]);
  });

  it('does not free a lease for what a worker did under the same epoch in an earlier session', async () => {
    await lab.worker('agt_a');
    await lab.dispatcher();
    openRoom('r');
    await lab.clock.advance(7000);
    const end = { sessionId: 'ses_0', reason: 'not needed', failed: false };
    await lab.registry.report({ type: 'left', agentId: 'agt_a', room: 'r', epoch: 1, ...end });
    await lab.clock.advance(3000);
    expect(lab.store.held()).toMatchObject([{ holder: 'agt_a', epoch: 1 }]);
  });

  it('does not end a session that began while an answer of LiveKit was on its way', async () => {
    await lab.worker('agt_a');
    const dispatcher = await lab.dispatcher();
    openRoom('r');
    await lab.clock.advance(7000);
    const before = await lab.directory.listRooms(['r']);
    openRoom('r');
    await lab.clock.advance(20_000);
    expect(lab.store.held()).toMatchObject([{ holder: 'agt_a', epoch: 2 }]);
    const late = vi.spyOn(lab.directory, 'listRooms').mockResolvedValueOnce(before);
    await dispatcher.handleRoomEvent({ event: 'track_published', room: 'r' });
    await lab.clock.advance(7000);
    expect(late).toHaveBeenCalledWith(['r']);
    expect(lab.store.held()).toMatchObject([{ holder: 'agt_a', epoch: 2 }]);
    expect(lab.store.sessions().at(-1)?.endedAt).toBeNull();
  });

  it('puts right what another dispatcher showed last', async () => {
    await lab.worker('agt_a');
    await lab.dispatcher();
    openRoom('r');
    await lab.clock.advance(7000);
    const shown = await lab.registry.room('r');
    if (shown === null) throw new Error('nothing is shown');
    await lab.registry.setRoom({ ...shown, status: 'queued', reason: 'all slots busy', queuePosition: 1 });
    await lab.clock.advance(7000);
    expect(await lab.registry.room('r')).toMatchObject({ status: 'active', queuePosition: null });
  });
});

describe('a worker that comes back under its name', () => {
  it('is given its rooms again although their old leases fill it', async () => {
    const before = await lab.worker('agt_a', 2);
    await lab.dispatcher();
    for (const room of ['r', 's']) openRoom(room);
    await lab.clock.advance(7000);
    before.kill();
    const after = await lab.worker('agt_a', 2);
    openRoom('third');
    await lab.clock.advance(15_000);
    expect([...after.rooms.keys()].sort()).toEqual(['r', 's']);
    expect(await lab.registry.room('third')).toMatchObject({ status: 'queued', reason: 'all slots busy' });
  });
});

describe('a wish', () => {
  it('for a room that is not listed counts for the incarnation that is seen next', async () => {
    const { control } = await lab.dispatcher();
    await lab.worker('agt_a');
    lab.directory.open('r');
    await control.start('r', {}, 'test');
    await lab.clock.advance(1000);
    lab.directory.close('r');
    await control.start('r', {}, 'test');
    openRoom('r');
    lab.directory.setMetadata('r', '');
    await lab.clock.advance(10_000);
    expect(lab.held()).toEqual({ r: 'agt_a' });
  });

  it('is asked for once more when one answer leaves the room out', async () => {
    const { control } = await lab.dispatcher();
    lab.directory.open('r');
    const { listRooms } = lab.directory;
    let lies = 1;
    lab.directory.listRooms = async (names) => {
      if (names !== undefined && lies-- > 0) return [];
      return listRooms.call(lab.directory, names);
    };
    await control.start('r', {}, 'test');
    expect((await lab.store.demands.get('r'))?.roomSid).toBe('RM_1');
  });

  it('of metadata comes back when somebody dropped it for another incarnation', async () => {
    await lab.worker('agt_a');
    await lab.dispatcher();
    openRoom('r');
    await lab.clock.advance(7000);
    await lab.store.demands.remove('r');
    await lab.clock.advance(14_000);
    expect(await lab.store.demands.get('r')).toMatchObject({ wanted: true });
    expect(lab.held()).toEqual({ r: 'agt_a' });
  });

  it('to be left alone is forgotten when the room is gone', async () => {
    const { control } = await lab.dispatcher();
    await lab.store.demands.put({
      ...{ room: 'r', wanted: false, source: 'api', settings: {}, priority: 0, roomSid: null },
    });
    await lab.clock.advance(30_000);
    expect(await lab.store.demands.get('r')).toBeNull();
    expect(await control.room('r')).toBeNull();
  });
});
