import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ContractContext, final, scene, span, trackOf } from './under-test.ts';

export function recordContract(context: ContractContext): void {
  sessionContract(context);
  describe('finals', () => {
    describeWrites(context);
    describeFence(context);
    describeReading(context);
  });
  describe('coverage', () => {
    describeAccounts(context);
    describeAnySpans(context);
  });
}

function sessionContract(context: ContractContext): void {
  const record = () => context.store().record;
  const open = (room: string, roomSid: string, startedAt: number) =>
    record().openSession({ room, roomSid, language: 'en', provider: 'local', startedAt });

  describe('sessions and tracks', () => {
    it('opens one session for an incarnation, also when asked many times at once', async () => {
      const room = context.room();
      const opened = await Promise.all([1, 2, 3, 4].map((n) => open(room, 'RM_1', n)));
      expect(new Set(opened.map(({ id }) => id)).size).toBe(1);
      expect((await open(room, 'RM_2', 5)).id).not.toBe(opened[0]?.id);
      expect(await record().getSession(opened[0]?.id ?? '')).toEqual(opened[0]);
      expect(await record().getSession('ses_none')).toBeNull();
    });

    it('ends a session once', async () => {
      const { id } = await open(context.room(), 'RM_1', 1);
      const openIds = async () => (await record().openSessions()).map((session) => session.id);
      expect(await openIds()).toContain(id);
      await record().endSession(id, 'empty');
      const first = await record().getSession(id);
      await record().endSession(id, 'closed');
      expect(await record().getSession(id)).toEqual(first);
      expect(first?.endReason).toBe('empty');
      expect(await openIds()).not.toContain(id);
    });

    it('lists open sessions of all rooms, or of those that are named', async () => {
      const room = context.room();
      const [first, second] = [await open(room, 'RM_1', 1), await open(room, 'RM_2', 2)];
      const other = await open(`${room}/2`, 'RM_3', 3);
      const ended = await open(room, 'RM_4', 4);
      await record().endSession(ended.id, 'empty');
      expect(await record().openSessions([room, `${room}/none`])).toEqual([first, second]);
      expect(await record().openSessions([])).toEqual([]);
      expect(await record().openSessions()).toEqual(expect.arrayContaining([first, second, other]));
    });

    it('takes back the end of a session that is opened again, and ends it again', async () => {
      const room = context.room();
      const first = await open(room, 'RM_1', 1_700_000_000_000);
      await record().endSession(first.id, 'stopped');
      const changed = { room, roomSid: 'RM_1', language: 'de', provider: 'scripted' };
      const again = await record().openSession({ ...changed, startedAt: 1_700_000_009_000 });
      expect(again).toEqual({ ...first, language: 'de', provider: 'scripted' });
      expect(await record().getSession(first.id)).toEqual(again);
      expect((await record().openSessions()).map(({ id }) => id)).toContain(first.id);
      await record().endSession(first.id, 'room ended');
      expect(await record().getSession(first.id)).toMatchObject({ endReason: 'room ended' });
    });

    it('lists sessions newest first, page by page', async () => {
      const room = context.room();
      const sessions = [];
      for (const n of [1, 2, 2, 3]) {
        sessions.push(await open(room, `RM_${sessions.length}`, 1_700_000_000_000 + n));
      }
      const first = await record().listSessions({ limit: 3 }, { room });
      const rest = await record().listSessions({ limit: 3, cursor: first.next ?? '' }, { room });
      expect([...first.items, ...rest.items]).toEqual(sessions.reverse());
      expect(rest.next).toBeNull();
      expect((await record().listSessions({ limit: 1000 })).items.length).toBeGreaterThan(4);
    });

    it('finds a known track again, with where its clock stands', async () => {
      const here = await scene(context);
      await record().writeSpans(here.tenure, [span(here, 'speech', 0, 500)]);
      const again = await record().openTrack(here.tenure, {
        ...trackOf(here.session, 'TR_1'),
        anchorAt: 1_800_000_000_000,
      });
      expect(again).toEqual({ ...here.track, endSample: 500 });
      // Finals are written sooner than spans: whoever goes on must not begin before them.
      await record().writeFinals(here.tenure, [final(here, 'b', 700, 900), final(here, 'a', 450, 600)]);
      const tracks = await record().tracks(here.session.id);
      expect(tracks).toMatchObject([{ endSample: 500, wordsEndSample: 900 }]);
      expect(await record().openTrack(here.tenure, trackOf(here.session, 'TR_1'))).toEqual(tracks[0]);
    });
  });
}

function describeWrites(context: ContractContext): void {
  const record = () => context.store().record;

  it('gives back what was written', async () => {
    const here = await scene(context);
    const words = [{ text: 'text', startMs: 1, endMs: 2, confidence: 0.5 }];
    const stored = final(here, 'a', 160, 320, { confidence: 0.25, words });
    const id = stored.segment.id;
    expect(await record().writeFinals(here.tenure, [stored])).toEqual({
      fenced: false,
      stored: [id],
      refused: [],
    });
    expect((await record().segments(here.session.id, { limit: 10 })).items).toEqual([stored.segment]);
  });

  it('stores a final once, however often it is written, and keeps the first text', async () => {
    const here = await scene(context);
    const stored = final(here, 'a', 0, 100);
    const writes = await Promise.all([1, 2, 3].map(() => record().writeFinals(here.tenure, [stored])));
    for (const write of writes) expect(write.stored).toEqual([stored.segment.id]);
    await record().writeFinals(here.tenure, [final(here, 'a', 0, 100, { text: 'other' })]);
    expect((await record().segments(here.session.id, { limit: 10 })).items).toEqual([stored.segment]);
  });

  it('refuses the final that overlaps and keeps its neighbours', async () => {
    const here = await scene(context);
    await record().writeFinals(here.tenure, [final(here, 'a', 0, 100)]);
    const batch = [
      final(here, 'b', 50, 150),
      final(here, 'c', 100, 200),
      final(here, 'd', 199, 201),
      final(here, 'e', 200, 300),
      final(here, 'f', 200, 200),
      final(here, 'g', 400, 300),
    ];
    const answer = await record().writeFinals(here.tenure, batch);
    const letters = (ids: string[]) => ids.map((id) => id.at(-1));
    expect(letters(answer.stored)).toEqual(['c', 'e', 'f']);
    expect(letters(answer.refused)).toEqual(['b', 'd', 'g']);
  });

  it('refuses finals of a track of another room', async () => {
    const here = await scene(context);
    const elsewhere = { ...here, track: { ...here.track, id: 'trk_unknown' } };
    const stray = final(elsewhere, 'a', 0, 100);
    const answer = await record().writeFinals(here.tenure, [stray]);
    expect(answer).toEqual({ fenced: false, stored: [], refused: [stray.segment.id] });
  });
}

function describeFence(context: ContractContext): void {
  const record = () => context.store().record;

  it('writes nothing for an epoch that no longer holds the room', async () => {
    const here = await scene(context);
    const { room, epoch } = here.tenure;
    const observed = { epoch, renewSeq: 0 };
    const take = { room, holder: `${room} b`, observed, ttlMs: 60_000, slots: 1, struck: false };
    await context.store().leases.takeover(take);
    const finals = [final(here, 'a', 0, 100)];
    expect(await record().writeFinals(here.tenure, finals)).toEqual({
      fenced: true,
      stored: [],
      refused: [],
    });
    expect(await record().writeSpans(here.tenure, [span(here, 'speech', 0, 100)])).toEqual({
      fenced: true,
    });
    expect(await record().openTrack(here.tenure, trackOf(here.session, 'TR_2'))).toBeNull();
    expect((await record().segments(here.session.id, { limit: 10 })).items).toEqual([]);
    expect((await record().tracks(here.session.id)).map(({ endSample }) => endSample)).toEqual([0]);
    expect((await record().writeFinals({ room, epoch: epoch + 1 }, finals)).stored).toHaveLength(1);
  });

  it('takes out what the database cannot hold', async () => {
    const here = await scene(context);
    const words = [{ text: 'a\0b', startMs: 0, endMs: 1 }];
    const odd = final(here, 'a', 0, 100, { text: 'a\0b \ud83d c \udc00 😀', speaker: 'N\0', words });
    expect((await record().writeFinals(here.tenure, [odd])).stored).toHaveLength(1);
    const [read] = (await record().segments(here.session.id, { limit: 1 })).items;
    expect(read).toMatchObject({ text: 'ab \uFFFD c \uFFFD 😀', speaker: 'N', words: [{ text: 'ab' }] });
    const track = { ...trackOf(here.session, 'TR_\0odd'), name: '\ud800' };
    expect(await record().openTrack(here.tenure, track)).toMatchObject({
      trackSid: 'TR_odd',
      name: '\uFFFD',
    });
  });
}

function describeReading(context: ContractContext): void {
  const record = () => context.store().record;

  it('reads in order of time, page by page, with no row lost or doubled', async () => {
    const here = await scene(context);
    const finals = Array.from({ length: 11 }, (_, i) =>
      final(here, `${i + 10}`, i * 100, i * 100 + 100, {
        startedAt: 1_700_000_000_000 + Math.floor(i / 4),
      }),
    );
    await record().writeFinals(here.tenure, [...finals].reverse());
    const expected = finals.map(({ segment }) => segment.id);
    const read: string[] = [];
    let cursor: string | null = null;
    do {
      const page = { limit: 3, ...(cursor === null ? {} : { cursor }) };
      const { items, next } = await record().segments(here.session.id, page);
      expect(items.length).toBeLessThanOrEqual(3);
      read.push(...items.map(({ id }) => id));
      cursor = next;
    } while (cursor !== null);
    expect(read).toEqual(expected);
    const recent = await record().recentSegments(here.session.id, 4);
    expect(recent.map(({ id }) => id)).toEqual(expected.slice(-4));
    await expect(record().segments(here.session.id, { limit: 3, cursor: 'x' })).rejects.toMatchObject({
      code: 'invalid_request',
      field: 'cursor',
    });
  });
}

function describeAccounts(context: ContractContext): void {
  const record = () => context.store().record;

  it('accounts for every sample and names the gaps', async () => {
    const here = await scene(context);
    const spans = [
      span(here, 'speech', 0, 1600),
      span(here, 'silence', 1600, 3200),
      span(here, 'gap', 3200, 4800, 'provider'),
      span(here, 'gap', 4800, 6400, 'provider'),
      span(here, 'muted', 8000, 9600),
    ];
    for (const _ of [1, 2]) {
      expect(await record().writeSpans(here.tenure, spans)).toEqual({ fenced: false });
    }
    expect(await record().coverage(here.session.id)).toEqual([
      {
        trackId: here.track.trackSid,
        identity: 'ann',
        name: 'Ann',
        totalMs: 600,
        speechMs: 100,
        silenceMs: 100,
        mutedMs: 100,
        gapMs: 200,
        gaps: [{ reason: 'provider', startMs: 200, endMs: 400 }],
        unexplainedMs: 100,
      },
    ]);
  });

  it('shows a track that nothing was written about', async () => {
    const here = await scene(context);
    const [coverage] = await record().coverage(here.session.id);
    expect(coverage).toMatchObject({ totalMs: 0, unexplainedMs: 0, gaps: [] });
  });
}

function describeAnySpans(context: ContractContext): void {
  const record = () => context.store().record;

  it('is exact for any spans, in any order, in any batches: the first word stands', async () => {
    const kinds = ['speech', 'silence', 'muted', 'gap'] as const;
    const drawn = fc.tuple(fc.constantFrom(...kinds), fc.nat(60), fc.nat(20), fc.boolean());
    let n = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(drawn, { minLength: 1, maxLength: 12 }), async (list) => {
        n += 1;
        const here = await scene({ ...context, room: () => `${context.room()}/${n}` });
        const explained = new Map<number, string>();
        let batch = [];
        let end = 0;
        for (const [kind, start, length, flush] of list) {
          batch.push(span(here, kind, start * 16, (start + length) * 16, kind === 'gap' ? 'overload' : null));
          if (length > 0) end = Math.max(end, start + length);
          for (let at = start; at < start + length; at++) {
            if (!explained.has(at)) explained.set(at, kind);
          }
          if (flush) await record().writeSpans(here.tenure, batch);
          if (flush) batch = [];
        }
        await record().writeSpans(here.tenure, batch);
        const count = (kind: string) => [...explained.values()].filter((value) => value === kind).length;
        expect((await record().coverage(here.session.id))[0]).toMatchObject({
          totalMs: end,
          speechMs: count('speech'),
          silenceMs: count('silence'),
          mutedMs: count('muted'),
          gapMs: count('gap'),
          unexplainedMs: end - explained.size,
        });
      }),
      { numRuns: 25, verbose: true },
    );
  });
}
