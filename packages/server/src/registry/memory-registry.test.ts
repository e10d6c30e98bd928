import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { agentStatus, registryContract } from '../testing/registry-contract.ts';
import { createMemoryRegistry } from './memory-registry.ts';

registryContract('memory', async () => {
  const clock = new ManualClock();
  return {
    registry: createMemoryRegistry({ clock }),
    pass: (ms) => clock.advance(ms),
    dispose: async () => undefined,
  };
});

describe('memory registry', () => {
  it('judges silence by the monotonic clock, whatever the wall clock does', async () => {
    const clock = new ManualClock();
    const registry = createMemoryRegistry({ clock });
    await registry.heartbeat(agentStatus({ agentId: 'agt_a' }));
    clock.jumpWallClock(3_600_000);
    expect(await registry.agents()).toHaveLength(1);
    await clock.advance(2001);
    expect(await registry.agents()).toHaveLength(0);
  });

  it('gives the mean age of active sessions', async () => {
    const clock = new ManualClock(10_000);
    const registry = createMemoryRegistry({ clock });
    const base = { reason: 'active', agentId: 'agt_a', epoch: 1, sessionId: 's', queuePosition: null };
    await registry.setRoom({ ...base, room: 'a', status: 'active', since: 4000 });
    await registry.setRoom({ ...base, room: 'b', status: 'active', since: 8000 });
    await registry.setRoom({ ...base, room: 'c', status: 'queued', since: 0 });
    expect((await registry.getAgentMetrics()).avgSessionDuration).toBe(4000);
  });

  it('delivers to every listener although one throws, and tells the sender', async () => {
    const registry = createMemoryRegistry({ clock: new ManualClock() });
    const heard: string[] = [];
    registry.onHint(() => {
      throw new Error('broken listener');
    });
    registry.onHint((room) => heard.push(room));
    await expect(registry.hint('r')).rejects.toThrow('listener');
    expect(heard).toEqual(['r']);
  });
});
