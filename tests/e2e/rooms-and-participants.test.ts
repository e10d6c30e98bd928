import {
  type HeardCaption,
  type LiveStack,
  type Speaker,
  sayAt,
  scriptedSpeech,
  startLiveStack,
} from 'dialoglens/testing/live-stack';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

const patience = { timeout: 20_000, interval: 50 };
const sentence = 'Alpha bravo charlie.';
const open = new AbortController();

let stack: LiveStack;
beforeAll(async () => {
  stack = await startLiveStack({
    speech: scriptedSpeech(sayAt(500, sentence, 200)),
    // Rooms are found by webhooks here: what they say has to be understood.
    env: { DIALOGLENS_ROOMS_POLL_INTERVAL_MS: '60000' },
  });
}, 400_000);
afterAll(async () => {
  open.abort();
  await stack?.stop();
});

async function ask<T>(route: string, method = 'GET'): Promise<T> {
  const response = await fetch(`${stack.api}${route}`, { method });
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}
const routeOf = (room: string) => `/api/rooms/${encodeURIComponent(room)}`;
const startRoom = (room: string) =>
  ask<Record<string, unknown>>(`${routeOf(room)}/start-transcription`, 'POST');

/** Says the sentence into a new track and keeps the microphone open. */
async function speak(speaker: Speaker): Promise<string> {
  const sid = await speaker.publish();
  // It ends with the test: what it says does not matter any more then.
  speaker.silence(120_000, open.signal).catch(() => undefined);
  return sid;
}

const finalsOf = (heard: HeardCaption[]) =>
  heard.filter((caption) => caption.attributes['lk.transcription_final'] === 'true');

async function agentsIn(room: string): Promise<string[]> {
  const present = await stack.directory.listParticipants(room);
  return present.filter(({ kind }) => kind === 'agent').map(({ identity }) => identity);
}

describe('room names', () => {
  it.each([
    'a/b/../c',
    ' spaces & ?#% "quotes" ',
    '会議室 🎙️ é\u0301',
    '__proto__',
    'x'.repeat(256),
    '🦊'.repeat(64),
  ])(
    '%s goes through API, webhooks, captions and record as it is',
    async (room) => {
      expect(await startRoom(room)).toMatchObject({ room, status: 'armed' });
      const heard: HeardCaption[] = [];
      const ana = await stack.join(room, 'ana', (caption) => heard.push(caption));
      await speak(ana);
      await vi.waitFor(() => expect(finalsOf(heard).map(({ text }) => text)).toEqual([sentence]), patience);
      const view = await ask<{ room: string; status: string; sessionId: string }>(routeOf(room));
      expect(view).toMatchObject({ room, status: 'active' });
      await vi.waitFor(async () => {
        const { items } = await ask<{ items: unknown[] }>(`/api/sessions/${view.sessionId}/segments`);
        expect(items).toMatchObject([{ room, text: sentence, identity: 'ana' }]);
      }, patience);
      await ana.leave();
    },
    40_000,
  );
});

describe('names and metadata that no database can hold', () => {
  it('are cleaned where they are stored, and nothing else is touched', async () => {
    const room = 'odd names';
    const heard: HeardCaption[] = [];
    const ana = await stack.join(room, 'an\0a', (caption) => heard.push(caption), 'N\0ame \ud800');
    const metadata = '{"transcriptionEnabled":true,"note":"\\u0000 \\ud800","theirs":"\u{1F98A}"}';
    await stack.directory.updateMetadata(room, metadata);
    await speak(ana);
    await vi.waitFor(() => expect(finalsOf(heard).map(({ text }) => text)).toEqual([sentence]), patience);
    expect(finalsOf(heard)[0]?.sender).toBe('an\0a');
    const { sessionId } = await ask<{ sessionId: string }>(routeOf(room));
    await vi.waitFor(async () => {
      const { items } = await ask<{ items: unknown[] }>(`/api/sessions/${sessionId}/segments`);
      expect(items).toMatchObject([{ text: sentence, identity: 'ana', speaker: 'Name \uFFFD' }]);
    }, patience);
    await startRoom(room);
    await ask(`${routeOf(room)}/stop-transcription`, 'POST');
    const [live] = await stack.directory.listRooms([room]);
    expect(JSON.parse(live?.metadata ?? '')).toEqual({
      ...JSON.parse(metadata),
      transcriptionEnabled: false,
    });
    await ana.leave();
  }, 40_000);
});

describe('start and stop', () => {
  it('stop without start says so; start twice gives the same answer and one agent', async () => {
    const room = 'twice';
    expect(await ask(`${routeOf(room)}/stop-transcription`, 'POST')).toMatchObject({ status: 'idle' });
    const ana = await stack.join(room, 'ana');
    await speak(ana);
    const [first, second] = await Promise.all([startRoom(room), startRoom(room)]);
    expect(first).toMatchObject({ success: true, status: 'assigned' });
    expect(second).toEqual({ ...first, reason: expect.any(String) });
    await vi.waitFor(
      async () => expect(await ask(routeOf(room))).toMatchObject({ status: 'active' }),
      patience,
    );
    const third = await startRoom(room);
    expect(third).toEqual({ ...first, reason: 'active' });
    expect(await agentsIn(room)).toHaveLength(1);
    await ask(`${routeOf(room)}/stop-transcription`, 'POST');
    await vi.waitFor(async () => expect(await agentsIn(room)).toEqual([]), patience);
    await ana.leave();
  }, 40_000);
});

describe('a participant that comes and goes', () => {
  it('is heard on every track, by one agent, with every second explained', async () => {
    const room = 'restless';
    const heard: HeardCaption[] = [];
    const viewer = await stack.join(room, 'viewer', (caption) => heard.push(caption));
    await startRoom(room);
    const ana = await stack.join(room, 'ana');
    const tracks = [await speak(ana)];
    const said = () => finalsOf(heard).map(({ attributes }) => attributes['lk.transcribed_track_id']);
    await vi.waitFor(() => expect(said()).toEqual(tracks), patience);
    const { sessionId } = await ask<{ sessionId: string }>(routeOf(room));
    const coverage = () => stack.app.store.record.coverage(sessionId);

    ana.setMuted(true);
    const bo = await stack.join(room, 'bo');
    tracks.push(await speak(bo));
    await vi.waitFor(() => expect(said()).toEqual(tracks), patience);
    ana.setMuted(false);
    await ana.unpublish();
    tracks.push(await speak(ana));
    await vi.waitFor(() => expect(said()).toEqual(tracks), patience);

    await ana.leave();
    const back = await stack.join(room, 'ana');
    tracks.push(await speak(back));
    await vi.waitFor(() => expect(said()).toEqual(tracks), patience);
    expect(await agentsIn(room)).toHaveLength(1);

    const events = await fetch(`${stack.api}/api/sessions/${sessionId}/events`);
    await ask(`${routeOf(room)}/stop-transcription`, 'POST');
    // The stream ends by itself after the end of the session was told.
    expect(await events.text()).toMatch(/"status":"ended","reason":"stopped"\}\s*$/);
    const rows = await coverage();
    expect(rows.map(({ identity }) => identity)).toEqual(['ana', 'bo', 'ana', 'ana']);
    for (const row of rows) expect(row).toMatchObject({ unexplainedMs: 0 });
    expect(rows.map(({ mutedMs }) => mutedMs > 0)).toEqual([true, false, false, false]);
    await viewer.leave();
  }, 60_000);
});
