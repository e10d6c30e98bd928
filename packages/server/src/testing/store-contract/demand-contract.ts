import { describe, expect, it } from 'vitest';
import type { Demand } from '../../store/store.ts';
import type { ContractContext } from './under-test.ts';

export function demandContract(context: ContractContext): void {
  describe('demands', () => {
    describeWishes(context);
    describeExpiry(context);
  });
}

/** Short names for what nearly every test does. */
function demandTools(context: ContractContext) {
  const demands = () => context.store().demands;
  const wish = (room: string, change: Partial<Demand> = {}): Omit<Demand, 'requestedAt'> => ({
    room,
    wanted: true,
    source: 'api',
    settings: { language: 'en-US', targetLanguages: ['de'], hints: ['Ärger', '日本'] },
    priority: 0,
    roomSid: null,
    ...change,
  });
  const age = (room: string) =>
    context
      .under()
      .sql(`update demand set requested_at = requested_at - interval '1 hour' where room = '${room}'`);
  return { demands, wish, age };
}

function describeWishes(context: ContractContext): void {
  const { demands, wish, age } = demandTools(context);

  it('gives back what was put', async () => {
    const room = context.room();
    const put = await demands().put(wish(room));
    expect(put).toEqual({ ...wish(room), requestedAt: put.requestedAt });
    expect(await demands().get(room)).toEqual(put);
    expect(await demands().remove(room)).toBe(true);
    expect(await demands().remove(room)).toBe(false);
    expect(await demands().get(room)).toBeNull();
  });

  it('binds and drops a wish only while it is that of the incarnation one means', async () => {
    const room = context.room();
    await demands().put(wish(room));
    await demands().bind(room, 'RM_1');
    await demands().bind(room, 'RM_9');
    await demands().bind(room, 'RM_9', 'RM_8');
    expect(await demands().get(room)).toMatchObject({ roomSid: 'RM_1' });
    await demands().bind(room, 'RM_2', 'RM_1');
    expect(await demands().get(room)).toMatchObject({ roomSid: 'RM_2' });
    expect(await demands().remove(room, { roomSid: 'RM_1' })).toBe(false);
    expect(await demands().remove(room, { roomSid: null })).toBe(false);
    expect(await demands().remove(room, { roomSid: 'RM_2', source: 'metadata' })).toBe(false);
    expect(await demands().remove(room, { roomSid: 'RM_2', source: 'api' })).toBe(true);
  });

  it('replaces a wish only while it is the one that was read', async () => {
    const room = context.room();
    const seen = wish(room, { source: 'metadata', roomSid: 'RM_1' });
    const first = await demands().replace(null, seen);
    expect(first).toEqual({ ...seen, requestedAt: first?.requestedAt });
    expect(await demands().replace(null, wish(room))).toBeNull();
    await demands().setPriority(room, 3);
    expect(await demands().replace(first, wish(room))).toBeNull();
    const second = await demands().get(room);
    const settings = { language: 'fr' };
    const third = await demands().replace(second, { ...seen, settings });
    expect(third).toEqual({ ...seen, settings, requestedAt: first?.requestedAt });
    expect(await demands().replace(second, wish(room))).toBeNull();
    const stop = await demands().put(wish(room, { wanted: false }));
    expect(await demands().replace(third, seen)).toBeNull();
    expect(await demands().get(room)).toEqual(stop);
    await demands().remove(room);
    expect(await demands().replace(stop, seen)).toBeNull();
  });

  it('changes the priority of a wish and nothing else, while somebody wants it', async () => {
    const room = context.room();
    expect(await demands().setPriority(room, 3)).toBe(false);
    const before = await demands().put(wish(room));
    expect(await demands().setPriority(room, 3)).toBe(true);
    expect(await demands().get(room)).toEqual({ ...before, priority: 3 });
    await demands().put(wish(room, { wanted: false }));
    expect(await demands().setPriority(room, 4)).toBe(false);
    expect(await demands().get(room)).toMatchObject({ wanted: false });
  });

  it('keeps the place in the queue until somebody says stop', async () => {
    const room = context.room();
    await demands().put(wish(room));
    await age(room);
    const aged = (await demands().get(room))?.requestedAt;
    const again = await demands().put(wish(room, { priority: 5, source: 'metadata' }));
    expect(again).toMatchObject({ requestedAt: aged, priority: 5, source: 'metadata' });
    await demands().put(wish(room, { wanted: false }));
    const later = await demands().put(wish(room));
    expect(later.requestedAt).toBeGreaterThan(again.requestedAt);
  });

  it('lists by priority, then age', async () => {
    const room = context.room();
    for (const name of ['b', 'a', 'c']) await demands().put(wish(`${room}/${name}`));
    await demands().put(wish(`${room}/z`, { priority: 1 }));
    await age(`${room}/c`);
    await age(`${room}/c`);
    await age(`${room}/b`);
    const listed = (await demands().list()).map((demand) => demand.room);
    expect(listed.filter((name) => name.startsWith(`${room}/`))).toEqual(
      ['z', 'c', 'b', 'a'].map((name) => `${room}/${name}`),
    );
  });

  it('binds an armed wish to the first incarnation', async () => {
    const room = context.room();
    await demands().put(wish(room));
    await demands().bind(room, 'RM_1');
    await demands().bind(room, 'RM_2');
    expect((await demands().get(room))?.roomSid).toBe('RM_1');
  });
}

function describeExpiry(context: ContractContext): void {
  const { demands, wish, age } = demandTools(context);

  it('expires old wishes that never met a room', async () => {
    const room = context.room();
    await demands().expireArmed(30 * 60_000);
    const names = ['old', 'bound', 'young'].map((name) => `${room}/${name}`);
    for (const name of names) await demands().put(wish(name));
    await demands().bind(`${room}/bound`, 'RM_1');
    await age(`${room}/old`);
    await age(`${room}/bound`);
    expect(await demands().expireArmed(30 * 60_000)).toBe(1);
    const left = (await demands().list()).map((demand) => demand.room);
    expect(names.filter((name) => left.includes(name))).toEqual([`${room}/bound`, `${room}/young`]);
  });
}

export function inboxContract(context: ContractContext): void {
  describe('webhook inbox and audit', () => {
    const event = (id: string) => ({ id, kind: 'room_started', room: 'r', createdAt: 1_700_000_000_000 });

    it('accepts an event once, also when it comes many times at once', async () => {
      const id = `EV ${context.room()}`;
      const { inbox } = context.store();
      const answers = await Promise.all(Array.from({ length: 8 }, () => inbox.accept(event(id))));
      expect(answers.filter(Boolean)).toHaveLength(1);
    });

    it('forgets old events', async () => {
      const id = `EV ${context.room()}`;
      const { inbox } = context.store();
      await inbox.accept(event(id));
      expect(await inbox.prune(60_000)).toBe(0);
      await context.under().sql(`update webhook_inbox set received_at = now() - interval '1 hour'`);
      expect(await inbox.prune(60_000)).toBeGreaterThan(0);
      expect(await inbox.accept(event(id))).toBe(true);
    });

    it('appends to the audit log', async () => {
      const target = context.room();
      await context.store().audit.append({ actor: 'key_1', action: 'start', target });
      await context.under().sql(
        `do $$ begin if not exists (select from audit where target = '${target}' and action = 'start')
         then raise exception 'no audit row'; end if; end $$`,
      );
    });
  });
}
