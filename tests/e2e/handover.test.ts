import {
  ask,
  type ClusterProcess,
  type LiveCluster,
  missingWords,
  startLiveCluster,
  TalkingRoom,
} from 'dialoglens/testing/live-cluster';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

const patience = { timeout: 60_000, interval: 200 };

let cluster: LiveCluster;
let dispatcher: ClusterProcess & { api: string };
const rooms: TalkingRoom[] = [];
beforeAll(async () => {
  cluster = await startLiveCluster({ hearing: 'tones' });
  dispatcher = await cluster.dispatcher();
}, 400_000);
afterAll(async () => {
  await Promise.all(rooms.map((room) => room.close()));
  await cluster?.stop();
}, 60_000);

async function talkIn(...names: string[]): Promise<TalkingRoom[]> {
  const opened = await Promise.all(
    names.map((name) => TalkingRoom.open({ api: dispatcher.api, join: cluster.join }, name)),
  );
  rooms.push(...opened);
  return opened;
}

async function agentView(workerId: string): Promise<{ status: string; reason: string | null } | undefined> {
  const { items } = await ask<{ items: { agentId: string; status: string; reason: string | null }[] }>(
    dispatcher.api,
    '/api/agents',
  );
  return items.find(({ agentId }) => agentId === workerId);
}

describe('a worker process that is told to end', { timeout: 240_000 }, () => {
  it('hands its talking rooms over: one session, every word once, no gap', async () => {
    const one = cluster.agent('one');
    const talking = await talkIn('stand-up', 'retro / 🚀', 'planning');
    await Promise.all(talking.map((room) => room.hearMore(12)));
    const sessions = await Promise.all(
      talking.map(async (room) => (await room.view(dispatcher.api)).sessionId),
    );
    cluster.agent('two');
    await cluster.untilReady(dispatcher.api, 'two');
    one.kill('SIGTERM');
    expect(await one.exited).toMatchObject({ code: 0 });
    expect(one.output.join('\n')).toContain('drained: no room is left');
    await Promise.all(talking.map((room) => room.hearMore(12)));
    for (const [index, room] of talking.entries()) {
      const view = await room.view(dispatcher.api);
      expect(view).toMatchObject({ status: 'active', agentId: 'two', epoch: 2, sessionId: sessions[index] });
      const record = await room.record(dispatcher.api);
      expect(record).toMatchObject({ gaps: [], unexplainedMs: 0 });
      expect(missingWords(record)).toEqual([]);
      expect(missingWords({ words: room.shown, beganAt: 0 })).toEqual([]);
      await room.close();
    }
  });

  it('stays until its deadline when no other worker has a slot, and says so', async () => {
    const [worker] = [cluster.agent('last', { DIALOGLENS_AGENT_DRAIN_DEADLINE_MS: '8000' })];
    await cluster.untilReady(dispatcher.api, 'last');
    // The one that is left from before has other things to do.
    cluster.run(['drain', 'two', '--url', dispatcher.api]);
    await vi.waitFor(async () => expect((await agentView('two'))?.status).not.toBe('ready'), patience);
    const [room] = (await talkIn('alone')) as [TalkingRoom];
    await room.hearMore(8);
    const { sessionId } = await room.view(dispatcher.api);
    worker.kill('SIGTERM');
    await vi.waitFor(async () => {
      expect(await agentView('last')).toMatchObject({ reason: 'no other worker has a slot' });
      const status = { status: 'active', reason: 'no other worker has a slot' };
      expect(await room.view(dispatcher.api)).toMatchObject(status);
    }, patience);
    await room.hearMore(3);
    expect(await worker.exited).toMatchObject({ code: 0 });
    expect(worker.output.join('\n')).toContain('leaving rooms that found no other worker');
    await vi.waitFor(async () => expect((await room.view(dispatcher.api)).status).toBe('queued'), patience);

    cluster.agent('late');
    await room.hearMore(12);
    expect(await room.view(dispatcher.api)).toMatchObject({ agentId: 'late', sessionId });
    // A gap is on record when what was said around it has settled.
    await vi.waitFor(async () => {
      const { gaps, unexplainedMs } = await room.record(dispatcher.api);
      expect(gaps.map(({ reason }) => reason)).toEqual(['agent_lost']);
      expect(unexplainedMs).toBe(0);
    }, patience);
  });
});
