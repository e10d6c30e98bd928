import {
  type HeardCaption,
  type LiveStack,
  sayAt,
  scriptedSpeech,
  startLiveStack,
} from 'dialoglens/testing/live-stack';
import { afterEach, describe, expect, it, vi } from 'vitest';

const room = 'all hands';
const patience = { timeout: 30_000, interval: 50 };
const startUrl = `/api/rooms/${encodeURIComponent(room)}/start-transcription`;

let stack: LiveStack;
const open = new AbortController();
afterEach(async () => {
  open.abort();
  await stack?.stop();
});

async function readiness() {
  const response = await fetch(`${stack.api}/readyz`);
  return { status: response.status, body: await response.text() };
}

/** Somebody joins and keeps the microphone open; resolves when they have read what they said. */
async function speakAndRead(identity: string): Promise<HeardCaption[]> {
  const heard: HeardCaption[] = [];
  const speaker = await stack.join(room, identity, (caption) => heard.push(caption));
  await speaker.publish();
  // It ends with the test: what it says does not matter any more then.
  speaker.silence(120_000, open.signal).catch(() => undefined);
  const said = (caption: HeardCaption) =>
    caption.sender === identity && caption.attributes['lk.transcription_final'] === 'true';
  await vi.waitFor(() => expect(heard.find(said)?.text).toBe('Alpha bravo charlie.'), patience);
  return heard;
}

describe('LiveKit', () => {
  it('may come later and may crash: DialogLens says so, tries on, and its rooms get captions again', async () => {
    stack = await startLiveStack({
      livekit: false,
      speech: scriptedSpeech(sayAt(500, 'Alpha bravo charlie.')),
    });
    await vi.waitFor(async () => {
      const { status, body } = await readiness();
      expect(status).toBe(503);
      expect(body).toContain('livekit_unreachable');
    }, patience);
    expect(stack.logs).toContainEqual(
      expect.objectContaining({ level: 'warn', message: 'LiveKit cannot be reached yet; trying on' }),
    );
    const wish = await fetch(`${stack.api}${startUrl}`, { method: 'POST' });
    expect(await wish.json()).toMatchObject({ status: 'armed', reason: 'livekit unreachable' });

    await stack.startLiveKit();
    await vi.waitFor(async () => expect((await readiness()).status).toBe(200), patience);
    await speakAndRead('ana');

    await stack.killLiveKit();
    await vi.waitFor(async () => expect((await readiness()).body).toContain('livekit_unreachable'), patience);
    const told = stack.logs.filter(({ fields }) => fields.code === 'livekit_unreachable');
    expect(told.length).toBe(2);
    expect(
      told.every(({ level, fields }) => level === 'warn' && /LIVEKIT_URL/.test(`${fields.remedy}`)),
    ).toBe(true);

    await stack.startLiveKit();
    await vi.waitFor(async () => expect((await readiness()).status).toBe(200), patience);
    // The room is a new one under the same name; nobody has to ask for it again.
    await speakAndRead('bo');
    expect(stack.logs.filter(({ level }) => level === 'error')).toEqual([]);
  }, 120_000);
});
