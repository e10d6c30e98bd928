import {
  ask,
  type ClusterProcess,
  type LiveCluster,
  missingWords,
  startLiveCluster,
  startTcpProxy,
  TalkingRoom,
  type TcpProxy,
} from 'dialoglens/testing/live-cluster';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

const patience = { timeout: 60_000, interval: 200 };
/** A gap is known to half a second, and so is when a word was said. */
const toleranceMs = 1_000;

let cluster: LiveCluster;
let dispatcher: ClusterProcess & { api: string };
let room: TalkingRoom;
/** The worker that serves the room, and another one. */
let holder: ClusterProcess;
let other: ClusterProcess;
let sessionId: string | null;
/** Under which the holder serves: not the first one when the room was offered to a worker that was just killed. */
let epoch: number;
let count = 0;
const name = (worker: 'holder' | 'other') => `${worker}-${count}`;
const proxies: TcpProxy[] = [];

beforeAll(async () => {
  cluster = await startLiveCluster({ hearing: 'tones', breakableNetwork: true });
  dispatcher = await cluster.dispatcher();
}, 400_000);
afterAll(async () => {
  await cluster?.stop();
}, 60_000);
beforeEach(() => {
  count++;
});
afterEach(async () => {
  await room.close();
  for (const worker of [holder, other]) worker.kill('SIGKILL');
  await Promise.all([holder.exited, other.exited]);
  await Promise.all(proxies.splice(0).map((proxy) => proxy.dispose()));
});

/** Somebody talks in a room that `holder` serves, and `other` could serve as well. */
async function talk(env: Record<string, string> = {}): Promise<void> {
  holder = cluster.agent(name('holder'), env);
  room = await TalkingRoom.open({ api: dispatcher.api, join: cluster.join }, `room ${count} / 🚀`);
  await untilServedBy('holder');
  other = cluster.agent(name('other'));
  await cluster.untilReady(dispatcher.api, name('other'));
  await room.hearMore(12);
  const view = await room.view(dispatcher.api);
  expect(view).toMatchObject({ agentId: name('holder') });
  sessionId = view.sessionId;
  epoch = view.epoch ?? 0;
}

async function untilServedBy(worker: 'holder' | 'other'): Promise<void> {
  const served = { status: 'active', agentId: name(worker) };
  await vi.waitFor(async () => {
    const { status, reason, agentId } = await room.view(dispatcher.api);
    expect({ status, reason, agentId }).toMatchObject(served);
  }, patience);
}

/** One session, every word stored once or inside a gap that says why, no word seen twice. */
async function expectOneRecord(reasons: string[]): Promise<void> {
  // A gap is on record when what was said around it has settled.
  const record = await vi.waitFor(async () => {
    const settled = await room.record(dispatcher.api);
    expect(settled.gaps.length).toBeGreaterThanOrEqual(Math.min(1, reasons.length));
    return settled;
  }, patience);
  expect(record.sessionId).toBe(sessionId);
  expect(record.unexplainedMs).toBe(0);
  for (const { reason } of record.gaps) expect(reasons).toContain(reason);
  const isInGap = (saidAt: number) =>
    record.gaps.some(({ startMs, endMs }) => saidAt > startMs - toleranceMs && saidAt < endMs + toleranceMs);
  expect(missingWords(record).filter(({ saidAt }) => !isInGap(saidAt))).toEqual([]);
  // Throws when the viewer was shown a word twice.
  missingWords({ words: room.shown, beganAt: 0 });
}

async function proxied(url: string): Promise<{ proxy: TcpProxy; url: string }> {
  const target = new URL(url);
  const proxy = await startTcpProxy(Number(target.port));
  proxies.push(proxy);
  target.port = String(proxy.port);
  return { proxy, url: target.href };
}

describe('another worker takes over', { timeout: 180_000 }, () => {
  it('when a worker is killed', async () => {
    await talk();
    holder.kill('SIGKILL');
    await untilServedBy('other');
    await room.hearMore(12);
    expect(await room.view(dispatcher.api)).toMatchObject({ epoch: epoch + 1 });
    await expectOneRecord(['agent_lost']);
    expect((await room.record(dispatcher.api)).gaps).toHaveLength(1);
  });

  it('when a worker crashes as native code does, and nobody else is touched', async () => {
    await talk();
    const bystander = await TalkingRoom.open({ api: dispatcher.api, join: cluster.join }, `beside ${count}`);
    try {
      await vi.waitFor(
        async () => expect(await bystander.servedBy(dispatcher.api)).toBe(name('other')),
        patience,
      );
      const before = await bystander.view(dispatcher.api);
      holder.kill('SIGSEGV');
      expect(await holder.exited).toMatchObject({ signal: 'SIGSEGV' });
      await untilServedBy('other');
      await room.hearMore(12);
      await bystander.hearMore(12);
      expect(await bystander.view(dispatcher.api)).toMatchObject({
        agentId: name('other'),
        epoch: before.epoch,
      });
      expect(await bystander.record(dispatcher.api)).toMatchObject({ gaps: [], unexplainedMs: 0 });
      await expectOneRecord(['agent_lost']);
    } finally {
      await bystander.close();
    }
  });

  it('until two of them died of the room: then it waits, says why, and is tried again when somebody wants it', async () => {
    await talk();
    holder.kill('SIGKILL');
    await untilServedBy('other');
    other.kill('SIGKILL');
    await other.exited;
    other = cluster.agent(name('other'));
    await cluster.untilReady(dispatcher.api, name('other'));
    const quarantined = { status: 'queued', reason: 'quarantined', agentId: null };
    await vi.waitFor(
      async () => expect(await room.view(dispatcher.api)).toMatchObject(quarantined),
      patience,
    );
    await ask(dispatcher.api, `/api/rooms/${encodeURIComponent(room.room)}/start-transcription`, 'POST');
    await untilServedBy('other');
    await room.hearMore(12);
    await expectOneRecord(['agent_lost']);
  });

  it('when a worker is frozen, which yields when it thaws', async () => {
    await talk();
    holder.kill('SIGSTOP');
    await untilServedBy('other');
    await room.hearMore(12);
    holder.kill('SIGCONT');
    await vi.waitFor(() => expect(holder.output.join('\n')).toContain('leaving the room'), patience);
    await room.hearMore(12);
    expect(await room.view(dispatcher.api)).toMatchObject({ agentId: name('other'), epoch: epoch + 1 });
    await expectOneRecord(['agent_lost']);
  });

  it('when a worker is cut off from the store', async () => {
    const { proxy, url } = await proxied(cluster.postgres.url);
    await talk({ DATABASE_URL: url });
    proxy.mute();
    await untilServedBy('other');
    await room.hearMore(12);
    proxy.unmute();
    await room.hearMore(12);
    expect(await room.view(dispatcher.api)).toMatchObject({ agentId: name('other'), epoch: epoch + 1 });
    await expectOneRecord(['agent_lost']);
  });

  it('when a worker is cut off from LiveKit', async () => {
    await talk();
    await cluster.cutOff(holder.pid);
    await untilServedBy('other');
    await room.hearMore(12);
    await cluster.cutOff(null);
    await room.hearMore(12);
    expect(await room.view(dispatcher.api)).toMatchObject({ agentId: name('other'), epoch: epoch + 1 });
    await expectOneRecord(['not_connected', 'agent_lost']);
  });
});

describe('nobody takes over', { timeout: 180_000 }, () => {
  it('from a worker that is only cut off from Redis', async () => {
    const { proxy, url } = await proxied(cluster.redis.url);
    await talk({ REDIS_URL: url });
    proxy.mute();
    const isListed = async () => {
      const answer = await fetch(`${dispatcher.api}/api/agents`);
      return (await answer.text()).includes(`"${name('holder')}"`);
    };
    await vi.waitFor(async () => expect(await isListed()).toBe(false), patience);
    await room.hearMore(12);
    proxy.unmute();
    await vi.waitFor(async () => expect(await isListed()).toBe(true), patience);
    await room.hearMore(8);
    expect(await room.view(dispatcher.api)).toMatchObject({ agentId: name('holder'), epoch });
    await expectOneRecord([]);
  });
});
