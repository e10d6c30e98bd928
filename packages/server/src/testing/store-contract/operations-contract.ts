import { describe, expect, it } from 'vitest';
import { type ContractContext, scene } from './under-test.ts';

const ttlMs = 60_000;

export function operationsContract(context: ContractContext): void {
  describe('moves', () => describeMoves(context));
  describe('measures', () => describeMeasures(context));
}

function describeMoves(context: ContractContext): void {
  const leases = () => context.store().leases;

  /** The moves of one room, the oldest first. */
  async function movesOf(room: string) {
    const { items } = await context.store().operations.moves({ limit: 1000 });
    return items
      .filter((move) => move.room === room)
      .map(({ kind, from, to, epoch }) => `${kind} ${from} → ${to} (${epoch})`)
      .reverse();
  }

  /** A room held by `a` of this room under epoch 1. */
  async function held() {
    const room = context.room();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => `${name} of ${room}`) as [string, string, string];
    await leases().claim({ room, holder: a, sessionId: 'ses_1', ttlMs, slots: 9 });
    const take = (holder: string, epoch: number, struck = false) =>
      leases().takeover({ room, holder, observed: { epoch, renewSeq: 0 }, ttlMs, slots: 9, struck });
    return { room, a, b, c, take };
  }

  it('are none while a room has one agent from beginning to end', async () => {
    const { room, a } = await held();
    await leases().renew(a, [{ room, epoch: 1 }], ttlMs);
    await leases().release(room, 1);
    await leases().claim({ room, holder: a, sessionId: 'ses_2', ttlMs, slots: 9 });
    expect(await movesOf(room)).toEqual([]);
  });

  it('tell a takeover and a handover apart, also when the successor takes over', async () => {
    const { room, a, b, c, take } = await held();
    await take(b, 1);
    await leases().prepare({ room, epoch: 2, successor: a, slots: 9 });
    await leases().handOver({ room, epoch: 2, ttlMs });
    await leases().prepare({ room, epoch: 3, successor: c, slots: 9 });
    await take(c, 3);
    expect(await movesOf(room)).toEqual([
      `takeover ${a} → ${b} (2)`,
      `handover ${b} → ${a} (3)`,
      `takeover ${a} → ${c} (4)`,
    ]);
  });

  it('tell a handover that was called off, and nothing for one that never was', async () => {
    const { room, a, b } = await held();
    await leases().unprepare(room, 1);
    await leases().prepare({ room, epoch: 1, successor: b, slots: 9 });
    await leases().unprepare(room, 1);
    expect(await movesOf(room)).toEqual([`handover called off ${a} → ${b} (1)`]);
  });

  it('tell that a worker was lost, and who has its room then', async () => {
    const { room, a, b } = await held();
    await leases().releaseAll(a, true);
    await leases().claim({ room, holder: b, sessionId: 'ses_1', ttlMs, slots: 9 });
    expect(await movesOf(room)).toEqual([`lost ${a} → null (1)`, `reassigned null → ${b} (2)`]);
  });

  it('have nothing of a claim or a takeover that was refused', async () => {
    const { room, b, take } = await held();
    await leases().claim({ room, holder: b, sessionId: 'ses_1', ttlMs, slots: 9 });
    await take(b, 7);
    expect(await movesOf(room)).toEqual([]);
  });

  it('come with the drains that were asked for, the newest first, in pages', async () => {
    const { room, a, b, take } = await held();
    const drained = `worker ${context.room()}`;
    await context.store().audit.append({ actor: 'key:ops', action: 'drain', target: drained });
    await take(b, 1);
    await take(a, 2);
    const seen = [];
    let cursor: string | undefined;
    do {
      const page = await context.store().operations.moves({ limit: 1, ...(cursor && { cursor }) });
      seen.push(...page.items);
      cursor = page.next ?? undefined;
    } while (cursor);
    expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
    const own = seen.filter((move) => move.room === room || move.from === drained);
    expect(own.map(({ kind }) => kind)).toEqual(['takeover', 'takeover', 'drain']);
    expect(own[0]).toMatchObject({ sessionId: 'ses_1', epoch: 3 });
    expect(Math.abs((own[0]?.at ?? 0) - (await context.store().now()))).toBeLessThan(60_000);
  });

  it('older than a week go, with the moves that follow', async () => {
    const { room, b, c, take } = await held();
    await take(b, 1);
    await context.under().sql(`update move set at = at - interval '8 days' where room = '${room}'`);
    await take(c, 2);
    expect(await movesOf(room)).toEqual([`takeover ${b} → ${c} (3)`]);
  });
}

function describeMeasures(context: ContractContext): void {
  const operations = () => context.store().operations;
  const count = (name: string, bucket: number, by: number) => ({ name, label: 'a b', bucket, count: by });
  const read = async (name: string) =>
    (await operations().measures(60)).counts.filter((one) => one.name === name);

  it('add up, whoever adds', async () => {
    const [name, other] = [`m ${context.room()}`, `n ${context.room()}`];
    await operations().addMeasures([]);
    await Promise.all([
      operations().addMeasures([count(name, 3, 2), count(name, 1, 1), count(other, 0, 7)]),
      operations().addMeasures([count(other, 0, 1), count(name, 1, 4)]),
    ]);
    const sums = new Map<number, number>();
    for (const { bucket, count: by } of await read(name)) sums.set(bucket, (sums.get(bucket) ?? 0) + by);
    expect([...sums]).toEqual([
      [1, 5],
      [3, 2],
    ]);
    const [first] = await read(other);
    expect(first).toMatchObject({ label: 'a b', bucket: 0 });
    expect((first?.minute ?? 1) % 60_000).toBe(0);
  });

  it('are read for as many minutes as asked, and forgotten after a day', async () => {
    const name = `m ${context.room()}`;
    await operations().addMeasures([count(name, 1, 1)]);
    const age = (minutes: number) =>
      context
        .under()
        .sql(`update measure set minute = minute - interval '${minutes} minutes' where name = '${name}'`);
    await age(61);
    expect(await read(name)).toEqual([]);
    expect((await operations().measures(120)).counts.some((one) => one.name === name)).toBe(true);
    await age(1440);
    await operations().addMeasures([count('other', 1, 1)]);
    expect((await operations().measures(10_000)).counts.some((one) => one.name === name)).toBe(false);
  });

  it('come with the time of the database', async () => {
    await scene(context);
    expect(Math.abs((await operations().measures(1)).now - (await context.store().now()))).toBeLessThan(
      5_000,
    );
  });
}
