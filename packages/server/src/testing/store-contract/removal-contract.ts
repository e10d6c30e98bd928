import { describe, expect, it } from 'vitest';
import { type ContractContext, final, type Scene, scene, span, trackOf } from './under-test.ts';

export function removalContract(context: ContractContext): void {
  describe('removal', () => {
    describeSessions(context);
    describePeople(context);
  });
}

const actor = 'key:boss';
const secret = 'Zebrafink';

/** A scene in which a person of the given identity has said something that was corrected, and that waits to be sent. */
async function spoken(context: ContractContext, identity: string): Promise<Scene> {
  const here = await scene(context);
  const { store } = context.under();
  const track = await store.record.openTrack(here.tenure, {
    ...trackOf(here.session, `TR_${identity}`),
    identity,
    name: secret,
  });
  if (!track) throw new Error('the holder of a room was fenced');
  const own = { ...here, track };
  const stored = final(own, 'w', 0, 160, { identity, speaker: secret, text: `${secret} was here` });
  await store.record.writeFinals(here.tenure, [stored]);
  await store.record.writeSpans(here.tenure, [span(own, 'speech', 0, 160)]);
  const target = { sessionId: here.session.id, author: `livekit:${identity}` };
  await store.corrections.correctSegment({
    ...target,
    segmentId: stored.segment.id,
    revision: 3,
    text: `${secret} is here`,
  });
  await store.corrections.correctSpeaker({ ...target, identity, name: `${secret} II`, revision: 0 });
  const { sql } = context.under();
  await sql(
    `insert into translation (segment_id, language, text, provider)
     values ('${stored.segment.id}', 'de', '${secret} ist hier', 'x')`,
  );
  const payload = JSON.stringify({ deep: [{ segment: stored.segment }] });
  await sql(`insert into outbox (id, topic, payload) values ('${stored.segment.id}', 'x', '${payload}')`);
  return own;
}

async function stop({ room, session, tenure }: Scene, context: ContractContext): Promise<void> {
  await context.store().record.endSession(session.id, 'stopped');
  await context.store().leases.release(room, tenure.epoch);
}

/** Fails when any table still holds the text anywhere. */
function assertNowhere(context: ContractContext, text: string): Promise<void> {
  return context.under().sql(`do $$ declare t record; found boolean; begin
    for t in select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and n.nspname = 'public' loop
      execute format('select exists (select from %I x where x::text ilike %L)', t.relname, '%${text}%') into found;
      if found then raise exception 'still in %', t.relname; end if;
    end loop;
  end $$`);
}

function describeSessions(context: ContractContext): void {
  it('deletes a session with everything that was written down in it', async () => {
    const here = await spoken(context, 'del-1');
    await expect(assertNowhere(context, secret)).rejects.toThrow();
    await stop(here, context);
    const { store } = context.under();
    expect(await store.removal.deleteSession(here.session.id, actor)).toEqual({ segments: 1 });
    await assertNowhere(context, secret);
    expect(await store.record.getSession(here.session.id)).toBeNull();
    expect((await store.record.search(secret, { limit: 9 })).items).toEqual([]);
    await expect(store.removal.deleteSession(here.session.id, actor)).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  it('refuses while the session is live, or still held', async () => {
    const here = await scene(context);
    const { removal, record, leases } = context.store();
    const refused = { code: 'session_live', field: 'id' };
    await expect(removal.deleteSession(here.session.id, actor)).rejects.toMatchObject(refused);
    await record.endSession(here.session.id, 'stopped');
    await expect(removal.deleteSession(here.session.id, actor)).rejects.toMatchObject(refused);
    await leases.release(here.room, here.tenure.epoch);
    expect(await removal.deleteSession(here.session.id, actor)).toEqual({ segments: 0 });
  });

  it('takes nothing that comes late for a session that is gone', async () => {
    const here = await scene(context);
    const { record, leases, removal } = context.store();
    await stop(here, context);
    await removal.deleteSession(here.session.id, actor);
    const claim = { room: here.room, holder: 'late', sessionId: 'ses_new', ttlMs: 60_000, slots: 1 };
    const epoch = (await leases.claim(claim))?.epoch ?? 0;
    const stray = final(here, 'late', 0, 100);
    expect(await record.writeFinals({ room: here.room, epoch }, [stray])).toMatchObject({
      stored: [],
      refused: [stray.segment.id],
    });
    expect(await record.writeSpans({ room: here.room, epoch }, [span(here, 'speech', 0, 9)])).toEqual({
      fenced: false,
    });
  });
}

function describePeople(context: ContractContext): void {
  it('removes the words and names of one person from every session, and nobody else’s', async () => {
    const first = await spoken(context, 'gone-1');
    await context
      .store()
      .record.writeFinals(first.tenure, [
        final(
          { ...first, track: (await context.store().record.tracks(first.session.id))[0] ?? first.track },
          'o',
          0,
          50,
        ),
      ]);
    await stop(first, context);
    const { removal, record, corrections } = context.store();
    const removed = await removal.removePerson('gone-1', actor);
    expect(removed).toEqual({ sessions: [first.session.id], segments: 1 });
    await assertNowhere(context, secret);
    await assertNowhere(context, 'gone-1');
    const { items } = await record.segments(first.session.id, { limit: 9 });
    expect(items.map(({ identity }) => identity)).toEqual(['ann']);
    expect((await corrections.speakers(first.session.id)).map(({ identity }) => identity)).toEqual(['ann']);
    const coverage = await record.coverage(first.session.id);
    expect(coverage.find(({ identity }) => identity === 'removed')).toMatchObject({
      name: 'Removed person',
      speechMs: 10,
      unexplainedMs: 0,
    });
    expect((await record.getSession(first.session.id))?.changes).toBe(3);
    await expect(removal.removePerson('gone-1', actor)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('refuses while the person is in a session that is live', async () => {
    const here = await spoken(context, 'gone-2');
    await expect(context.store().removal.removePerson('gone-2', actor)).rejects.toMatchObject({
      code: 'session_live',
      field: 'identity',
    });
    await stop(here, context);
    await context.store().removal.removePerson('gone-2', actor);
  });

  it('takes no late words of a person who was removed, and hears who comes again', async () => {
    const here = await spoken(context, 'gone-3');
    const { removal, record } = context.store();
    await record.endSession(here.session.id, 'stopped');
    await removal.removePerson('gone-3', actor);
    const late = final(here, 'late', 200, 300);
    expect(await record.writeFinals(here.tenure, [late])).toMatchObject({ refused: [late.segment.id] });
    const again = await record.openTrack(here.tenure, {
      ...trackOf(here.session, 'TR_gone-3'),
      identity: 'gone-3',
    });
    expect(again?.id).not.toBe(here.track.id);
  });
}
