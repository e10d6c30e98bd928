import { describe, expect, it } from 'vitest';
import { DialogLensError } from '../errors.ts';
import { noMetrics } from '../observability/metric-table.ts';
import { silentLogger } from '../observability/telemetry.ts';
import { createMemoryRegistry } from '../registry/memory-registry.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { MemoryDispatchStore } from '../testing/memory-dispatch-store.ts';
import { agentStatus } from '../testing/registry-contract.ts';
import { Reachability } from './reachability.ts';
import { countFree, takers, World } from './world.ts';

async function make() {
  const clock = new ManualClock();
  const store = new MemoryDispatchStore(clock);
  const registry = createMemoryRegistry({ clock });
  const reach = new Reachability(silentLogger, noMetrics);
  const world = new World({
    store,
    registry,
    reach,
    clock,
    times: { suspicionMs: 2000, leaseTtlMs: 4000, observeMs: 500 },
  });
  await store.leases.claim({ room: 'r', holder: 'agt_a', sessionId: 's', ttlMs: 4000, slots: 2 });
  const tenure = async () => {
    const lease = (await world.leases()).byRoom.get('r');
    return lease === undefined ? null : world.tenure(lease, await world.agents());
  };
  return { clock, store, registry, world, tenure };
}

describe('World', () => {
  it('suspects a silent holder after the whole suspicion time, not before', async () => {
    const { clock, tenure } = await make();
    await tenure();
    await clock.advance(1000);
    expect(await tenure()).toBe('renewed');
    await clock.advance(1000);
    expect(await tenure()).toBe('worker lost');
  });

  it('knows the worker for lost whose name another process has taken', async () => {
    const { clock, registry, tenure } = await make();
    await registry.heartbeat(agentStatus({ agentId: 'agt_a', instance: 'first' }));
    await tenure();
    await clock.advance(1000);
    await tenure();
    await clock.advance(1500);
    await registry.heartbeat(agentStatus({ agentId: 'agt_a', instance: 'second' }));
    expect(await tenure()).toBe('worker lost');
  });

  it('gives a worker that is heard until its lease would have run out', async () => {
    const { clock, registry, tenure } = await make();
    await registry.heartbeat(agentStatus({ agentId: 'agt_a' }));
    await tenure();
    await clock.advance(1000);
    await tenure();
    await clock.advance(1500);
    await registry.heartbeat(agentStatus({ agentId: 'agt_a' }));
    expect(await tenure()).toBe('renewed');
  });

  it('begins to watch anew after a read failed, however short the outage', async () => {
    const { clock, store, tenure } = await make();
    await tenure();
    await clock.advance(1000);
    store.away = true;
    await expect(tenure()).rejects.toThrow(DialogLensError);
    store.away = false;
    await clock.advance(1000);
    expect(await tenure()).toBe('renewed');
    await clock.advance(2000);
    expect(await tenure()).toBe('worker lost');
  });

  it('shows the room that is looked at as it is now, however old the rest of the picture is', async () => {
    const { clock, store, world } = await make();
    const list = store.leases.list.bind(store.leases);
    let wholeReads = 0;
    store.leases.list = async (rooms) => {
      if (rooms === undefined) {
        wholeReads++;
        await new Promise<void>((resolve) => clock.after(100, resolve));
      }
      return list(rooms);
    };
    const look = async (room: string) => {
      const around = world.around(room);
      await clock.advance(100);
      return around;
    };
    expect((await look('r')).lease).toMatchObject({ holder: 'agt_a', epoch: 1 });
    await store.leases.release('r', 1);
    const other = { holder: 'agt_b', ttlMs: 4000, slots: 2 };
    await store.leases.claim({ ...other, room: 'r', sessionId: 's' });
    await store.leases.claim({ ...other, room: 'unseen', sessionId: 't' });
    const { lease, leases } = await look('r');
    expect(wholeReads).toBe(1);
    expect(lease).toMatchObject({ holder: 'agt_b', epoch: 2 });
    expect(leases.roomsOf).toEqual(new Map([['agt_b', ['r']]]));
    await clock.advance(500);
    expect((await look('r')).leases.roomsOf).toEqual(new Map([['agt_b', ['r', 'unseen']]]));
  });

  it('counts load from leases and offers only workers that take rooms', async () => {
    const { world } = await make();
    const agents = [
      agentStatus({ agentId: 'agt_a', slots: 2 }),
      agentStatus({ agentId: 'agt_b', status: 'draining', slots: 9 }),
    ];
    const found = takers(agents, await world.leases(), '0.0.0');
    expect(found).toMatchObject([{ agentId: 'agt_a', slots: 2, used: 1, rooms: ['r'] }]);
    expect(countFree([...found, { slots: 1, used: 3 }])).toBe(1);
  });
});
