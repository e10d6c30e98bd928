import { describe, expect, it } from 'vitest';
import type { ContractContext } from './under-test.ts';

const ttlMs = 60_000;

export function leaseContract(context: ContractContext): void {
  describe('leases', () => {
    describeClaims(context);
    describeRenewals(context);
    describeLists(context);
    describeTakeovers(context);
    describeHandovers(context);
    describeStrikes(context);
  });
}

/** Short names for what nearly every test does. */
function leaseTools(context: ContractContext) {
  const leases = () => context.store().leases;
  const claim = (room: string, holder: string, change: { ttlMs?: number; slots?: number } = {}) =>
    leases().claim({ room, holder, sessionId: 'ses_1', ttlMs, slots: 10, ...change });
  const leaseOf = async (room: string) => (await leases().list()).find((lease) => lease.room === room);
  const expire = (room: string) =>
    context.under().sql(`update lease set expires_at = now() - interval '1 hour' where room = '${room}'`);
  return { leases, claim, leaseOf, expire };
}

function describeClaims(context: ContractContext): void {
  const { leases, claim, leaseOf, expire } = leaseTools(context);

  it('grants a free room to one of many that ask at once', async () => {
    const room = context.room();
    const grants = await Promise.all(Array.from({ length: 20 }, (_, i) => claim(room, `${room} w${i}`)));
    expect(grants.filter((grant) => grant !== null)).toEqual([{ epoch: 1 }]);
  });

  it('never grants more rooms than slots, even when all are asked for at once', async () => {
    const room = context.room();
    const holder = `holder of ${room}`;
    const grants = await Promise.all(
      Array.from({ length: 20 }, (_, i) => claim(`${room}/${i}`, holder, { slots: 3 })),
    );
    expect(grants.filter((grant) => grant !== null)).toHaveLength(3);
  });

  it('counts no expired lease against the slots', async () => {
    const room = context.room();
    const holder = `holder of ${room}`;
    await claim(room, holder, { slots: 1 });
    expect(await claim(`${room}/2`, holder, { slots: 1 })).toBeNull();
    await expire(room);
    expect(await claim(`${room}/2`, holder, { slots: 1 })).toEqual({ epoch: 1 });
  });

  it('lets the epoch only grow, over release, expiry and takeover', async () => {
    const room = context.room();
    expect(await claim(room, 'a')).toEqual({ epoch: 1 });
    expect(await leases().release(room, 1)).toBe(true);
    expect(await claim(room, 'b')).toEqual({ epoch: 2 });
    expect(await claim(room, 'c')).toBeNull();
    await expire(room);
    expect((await leaseOf(room))?.expired).toBe(true);
    expect(await claim(room, 'c')).toEqual({ epoch: 3 });
    const observed = { epoch: 3, renewSeq: 0 };
    expect(await leases().takeover({ room, holder: 'd', observed, ttlMs, slots: 1, struck: false })).toEqual({
      epoch: 4,
      sessionId: 'ses_1',
    });
  });
}

function describeRenewals(context: ContractContext): void {
  const { leases, claim, leaseOf, expire } = leaseTools(context);

  it('renews what is held under the right epoch and nothing else', async () => {
    const room = context.room();
    const holder = `holder of ${room}`;
    for (const n of [1, 2, 3]) await claim(`${room}/${n}`, holder);
    await leases().release(`${room}/3`, 1);
    const held = [
      { room: `${room}/1`, epoch: 1 },
      { room: `${room}/2`, epoch: 2 },
      { room: `${room}/3`, epoch: 1 },
    ];
    expect(await leases().renew(holder, held, ttlMs)).toEqual([`${room}/1`]);
    expect(await leases().renew('somebody else', held, ttlMs)).toEqual([]);
    expect(await leases().renew(holder, [], ttlMs)).toEqual([]);
    expect((await leaseOf(`${room}/1`))?.renewSeq).toBe(1);
    const forSession = (sessionId: string | null) => [{ room: `${room}/1`, epoch: 1, sessionId }];
    expect(await leases().renew(holder, forSession('ses_2'), ttlMs)).toEqual([]);
    expect(await leases().renew(holder, forSession('ses_1'), ttlMs)).toEqual([`${room}/1`]);
    expect(await leases().renew(holder, forSession(null), ttlMs)).toEqual([`${room}/1`]);
    expect((await leaseOf(`${room}/1`))?.renewSeq).toBe(3);
    expect((await leaseOf(`${room}/2`))?.renewSeq).toBe(0);
  });

  it('moves the expiry with a renewal, also of a lease that expired but was not taken', async () => {
    const room = context.room();
    await claim(room, 'a');
    await expire(room);
    expect(await leases().renew('a', [{ room, epoch: 1 }], ttlMs)).toEqual([room]);
    expect(await leaseOf(room)).toMatchObject({
      expired: false,
      holder: 'a',
      sessionId: 'ses_1',
      epoch: 1,
    });
  });

  it('releases only for the epoch that holds, and once', async () => {
    const room = context.room();
    await claim(room, 'a');
    expect(await leases().release(room, 2)).toBe(false);
    expect(await leases().release(room, 1)).toBe(true);
    expect(await leases().release(room, 1)).toBe(false);
    expect(await leaseOf(room)).toBeUndefined();
  });

  it('releases everything of a holder and nothing of others', async () => {
    const room = context.room();
    const holder = `holder of ${room}`;
    await claim(`${room}/1`, holder);
    await claim(`${room}/2`, holder);
    await claim(`${room}/3`, `other ${holder}`);
    expect((await leases().releaseAll(holder)).sort()).toEqual([`${room}/1`, `${room}/2`]);
    expect(await leases().releaseAll(holder)).toEqual([]);
    expect(await leaseOf(`${room}/3`)).toBeDefined();
  });
}

function describeLists(context: ContractContext): void {
  const { leases, claim } = leaseTools(context);

  it('lists what is held, of all rooms or of those that are named', async () => {
    const room = context.room();
    for (const n of [1, 2, 3]) await claim(`${room}/${n}`, 'a');
    await leases().release(`${room}/3`, 1);
    const named = async (...rooms: string[]) => (await leases().list(rooms)).map((lease) => lease.room);
    expect(await named(`${room}/2`, `${room}/3`, `${room}/none`)).toEqual([`${room}/2`]);
    expect(await named()).toEqual([]);
    const all = await leases().list();
    const [own] = await leases().list([`${room}/1`]);
    expect(all.filter((lease) => lease.room.startsWith(`${room}/`))).toHaveLength(2);
    expect(all).toContainEqual(own);
  });
}

function describeTakeovers(context: ContractContext): void {
  const { leases, claim, expire } = leaseTools(context);

  it('takes over only what has not moved since it was observed', async () => {
    const room = context.room();
    await claim(room, 'a');
    const take = (epoch: number, renewSeq: number) =>
      leases().takeover({
        room,
        holder: 'b',
        observed: { epoch, renewSeq },
        ttlMs,
        slots: 10,
        struck: false,
      });
    await leases().renew('a', [{ room, epoch: 1 }], ttlMs);
    expect(await take(1, 0)).toBeNull();
    expect(await take(2, 1)).toBeNull();
    expect(await take(1, 1)).toEqual({ epoch: 2, sessionId: 'ses_1' });
    expect(await leases().renew('a', [{ room, epoch: 1 }], ttlMs)).toEqual([]);
  });

  it('takes over what expired, whatever was observed, and never a free room', async () => {
    const room = context.room();
    const take = () =>
      leases().takeover({
        room,
        holder: 'b',
        observed: { epoch: 1, renewSeq: 7 },
        ttlMs,
        slots: 10,
        struck: false,
      });
    expect(await take()).toBeNull();
    await claim(room, 'a');
    await expire(room);
    expect(await take()).toEqual({ epoch: 2, sessionId: 'ses_1' });
    await leases().release(room, 2);
    expect(await take()).toBeNull();
  });

  it('lets one of many takeovers win, within the slots of the taker', async () => {
    const room = context.room();
    await claim(room, 'a');
    const take = (holder: string, slots: number) =>
      leases().takeover({ room, holder, observed: { epoch: 1, renewSeq: 0 }, ttlMs, slots, struck: false });
    expect(await take('full', 0)).toBeNull();
    const taken = await Promise.all(Array.from({ length: 20 }, (_, i) => take(`${room} t${i}`, 1)));
    expect(taken.filter((grant) => grant !== null)).toHaveLength(1);
  });
}

function describeHandovers(context: ContractContext): void {
  const { leases, claim, leaseOf } = leaseTools(context);

  it('gives the room to the prepared successor under the next epoch, once', async () => {
    const room = context.room();
    const successor = `successor in ${room}`;
    await claim(room, 'a');
    expect(await leases().handOver({ room, epoch: 1, ttlMs })).toBeNull();
    expect(await leases().prepare({ room, epoch: 1, successor, slots: 1 })).toBe(true);
    expect(await leaseOf(room)).toMatchObject({ holder: 'a', epoch: 1, successor });
    const given = await Promise.all([1, 2, 3].map(() => leases().handOver({ room, epoch: 1, ttlMs })));
    expect(given.filter((one) => one !== null)).toEqual([
      { epoch: 2, holder: successor, sessionId: 'ses_1' },
    ]);
    expect(await leaseOf(room)).toMatchObject({ holder: successor, epoch: 2, renewSeq: 0, successor: null });
    expect(await leases().renew('a', [{ room, epoch: 1 }], ttlMs)).toEqual([]);
    expect(await leases().renew(successor, [{ room, epoch: 2 }], ttlMs)).toEqual([room]);
  });

  it('prepares nobody for another epoch, nor the holder itself, nor one without a free slot', async () => {
    const room = context.room();
    const successor = `successor in ${room}`;
    const prepare = (change: object) => leases().prepare({ room, epoch: 1, successor, slots: 1, ...change });
    expect(await prepare({})).toBe(false);
    await claim(room, 'a');
    expect(await prepare({ epoch: 2 })).toBe(false);
    expect(await prepare({ successor: 'a' })).toBe(false);
    await claim(`${room}/2`, successor);
    expect(await prepare({ slots: 1 })).toBe(false);
    expect(await prepare({ slots: 2 })).toBe(true);
    expect(await prepare({ slots: 2 })).toBe(true);
  });

  it('keeps the slot of a successor until the handover, or until it is given up', async () => {
    const room = context.room();
    const successor = `successor in ${room}`;
    await claim(room, 'a');
    await leases().prepare({ room, epoch: 1, successor, slots: 1 });
    expect(await claim(`${room}/2`, successor, { slots: 1 })).toBeNull();
    await leases().unprepare(room, 1);
    expect(await claim(`${room}/2`, successor, { slots: 1 })).toEqual({ epoch: 1 });
    expect((await leaseOf(room))?.successor).toBeNull();
  });

  it('forgets the successor when the room is released or taken over', async () => {
    const room = context.room();
    await claim(room, 'a');
    await leases().prepare({ room, epoch: 1, successor: 'b', slots: 10 });
    const take = { room, holder: 'c', observed: { epoch: 1, renewSeq: 0 }, ttlMs, slots: 10, struck: false };
    expect(await leases().takeover(take)).toMatchObject({ epoch: 2 });
    expect((await leaseOf(room))?.successor).toBeNull();
    await leases().prepare({ room, epoch: 2, successor: 'b', slots: 10 });
    await leases().release(room, 2);
    await claim(room, 'd');
    expect(await leaseOf(room)).toMatchObject({ holder: 'd', successor: null });
  });
}

function describeStrikes(context: ContractContext): void {
  const { leases, claim, leaseOf } = leaseTools(context);
  const strikesOf = async (room: string) =>
    (await leases().struck()).find((one) => one.room === room)?.strikes ?? 0;

  it('counts how often a room lost its worker, over epochs and while it is free', async () => {
    const room = context.room();
    const holder = `holder of ${room}`;
    await claim(room, holder);
    const observed = { epoch: 1, renewSeq: 0 };
    await leases().takeover({ room, holder: 'b', observed, ttlMs, slots: 10, struck: true });
    expect(await leaseOf(room)).toMatchObject({ strikes: 1 });
    await leases().release(room, 2);
    expect(await strikesOf(room)).toBe(1);
    await claim(room, holder);
    await leases().releaseAll(holder, true);
    expect(await strikesOf(room)).toBe(2);
  });

  it('counts the loss of a worker whose room is given to nobody', async () => {
    const room = context.room();
    await claim(room, 'a');
    expect(await leases().release(room, 2, true)).toBe(false);
    expect(await strikesOf(room)).toBe(0);
    expect(await leases().release(room, 1, true)).toBe(true);
    expect(await strikesOf(room)).toBe(1);
  });

  it('counts nothing against a room that was left in good order, and forgets when told', async () => {
    const room = context.room();
    const holder = `holder of ${room}`;
    await claim(room, holder);
    await leases().releaseAll(holder);
    expect(await strikesOf(room)).toBe(0);
    await claim(room, holder);
    await leases().releaseAll(holder, true);
    await leases().absolve(room);
    expect(await strikesOf(room)).toBe(0);
  });
}
