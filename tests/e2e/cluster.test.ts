import { ask, type HeardCaption, type LiveCluster, startLiveCluster } from 'dialoglens/testing/live-cluster';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

const patience = { timeout: 60_000, interval: 100 };
const room = 'all hands / 🚀';
const open = new AbortController();

let cluster: LiveCluster;
beforeAll(async () => {
  cluster = await startLiveCluster();
}, 400_000);
afterAll(async () => {
  open.abort();
  await cluster?.stop();
}, 60_000);

const roomPath = `/api/rooms/${encodeURIComponent(room)}`;
const servedBy = async (api: string) => {
  const view = await ask<{ agentId: string | null; status: string; sessionId: string }>(api, roomPath);
  return view.status === 'active' ? view.agentId : null;
};

/** Waits for a caption that is newer than what has been heard until now. */
async function expectMoreCaptions(heard: HeardCaption[]): Promise<void> {
  const before = heard.length;
  await vi.waitFor(() => expect(heard.length).toBeGreaterThan(before + 1), patience);
}

describe('a cluster of real processes', { timeout: 180_000 }, () => {
  it('starts in any order, captions a room, moves it when its worker is drained, and survives a dispatcher', async () => {
    // Workers first: they wait for rooms, and for a database that has no tables yet.
    const one = cluster.agent('one', { DIALOGLENS_AGENT_DRAIN_DEADLINE_MS: '20000' });
    const [first, second] = await Promise.all([cluster.dispatcher(), cluster.dispatcher()]);
    const heard: HeardCaption[] = [];
    const speaker = await cluster.join(room, 'ana', (caption) => heard.push(caption));
    await speaker.publish();
    speaker.silence(600_000, open.signal).catch(() => undefined); // Cut short at the end of the test.
    await ask(first.api, `${roomPath}/start-transcription`, 'POST');
    await vi.waitFor(async () => expect(await servedBy(first.api)).toBe('one'), patience);
    await expectMoreCaptions(heard);

    const two = cluster.agent('two');
    await vi.waitFor(async () => {
      const { items } = await ask<{ items: { agentId: string }[] }>(second.api, '/api/agents');
      expect(items.map(({ agentId }) => agentId).sort()).toEqual(['one', 'two']);
    }, patience);

    const drain = cluster.run(['drain', 'one', '--url', second.api]);
    expect(await drain.exited).toMatchObject({ code: 0 });
    expect(drain.output.join('\n')).toMatch(/one drains; 1 room to hand over/);
    expect(await one.exited).toMatchObject({ code: 0 });
    await vi.waitFor(async () => expect(await servedBy(second.api)).toBe('two'), patience);
    await expectMoreCaptions(heard);

    first.kill('SIGKILL');
    await first.exited;
    await expectMoreCaptions(heard);
    expect(await servedBy(second.api)).toBe('two');
    expect(two.output.join('\n')).not.toMatch(/"level":"error"/);
  });
});
