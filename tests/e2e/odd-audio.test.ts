import { type LiveStack, loadSampleMeeting, startLiveStack, wordErrors } from 'dialoglens/testing/live-stack';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

const room = 'odd audio';
const patience = { timeout: 30_000, interval: 50 };
const noiseMs = 12_000;

let stack: LiveStack;
beforeAll(async () => {
  stack = await startLiveStack({ flags: { policy: 'all' } });
}, 400_000);
afterAll(() => stack?.stop());

/** Numbers from -1 to 1 that are the same in every run. */
function randoms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return state / 2 ** 31;
  };
}

/** 16 kHz audio made sample by sample. */
function make(sample: (index: number) => number): Int16Array {
  return Int16Array.from({ length: noiseMs * 16 }, (_, index) => Math.round(sample(index)));
}

function hiss(amplitude: number): Int16Array {
  const next = randoms(1);
  return make(() => amplitude * next());
}

/** Traffic and ventilation: low frequencies that swell. */
function rumble(): Int16Array {
  const next = randoms(2);
  let level = 0;
  return make((index) => {
    level = 0.995 * level + next();
    return level * 400 * (1 + Math.sin(index / 8_000));
  });
}

/** Mains hum with a key pressed now and then. */
function humAndKeys(): Int16Array {
  const next = randoms(3);
  return make((index) => {
    const hum = 600 * Math.sin((index / 16_000) * 2 * Math.PI * 50);
    return index % 5_000 < 160 ? hum + 9_000 * next() * Math.exp(-(index % 5_000) / 40) : hum;
  });
}

/** The same sound at another rate, on one or two channels. */
function resample(pcm: Int16Array, sampleRate: number, channels: number): Int16Array {
  const frames = Math.floor((pcm.length * sampleRate) / 16_000);
  return Int16Array.from({ length: frames * channels }, (_, index) => {
    const at = (Math.floor(index / channels) * 16_000) / sampleRate;
    const [before, after] = [pcm[Math.floor(at)] ?? 0, pcm[Math.ceil(at)] ?? 0];
    return before + (after - before) * (at % 1);
  });
}

/** Audio at a wrong rate or with mixed up channels gives no or other words; a busy machine only mishears some. */
const misread = 0.75;

describe('what people publish that is no 16 kHz speech', () => {
  it('silence and noise give no words, other formats give theirs, and every second is explained', async () => {
    const { lines } = await loadSampleMeeting();
    const long = lines.filter(({ pcm }) => pcm.length > 3 * 16_000).slice(0, 2);
    expect(long).toHaveLength(2);
    const mono = { sampleRate: 16_000, channels: 1 };
    const publish = async (identity: string, pcm: Int16Array, format = mono) => {
      const speaker = await stack.join(room, identity);
      await speaker.publish(format);
      // Nobody is heard before the agent is there.
      await vi.waitFor(async () => {
        expect((await stack.app.registry.room(room))?.status).toBe('active');
      }, patience);
      await speaker.silence(1_000);
      await speaker.play(resample(pcm, format.sampleRate, format.channels));
      await speaker.silence(2_000);
    };
    await Promise.all([
      publish(
        'digital silence',
        make(() => 0),
      ),
      publish('quiet hiss', hiss(200)),
      publish('loud hiss', hiss(8_000)),
      publish('rumble', rumble()),
      publish('hum and keys', humAndKeys()),
      publish('44.1 kHz stereo', long[0]?.pcm ?? hiss(0), { sampleRate: 44_100, channels: 2 }),
      publish('22.05 kHz', long[1]?.pcm ?? hiss(0), { sampleRate: 22_050, channels: 1 }),
    ]);

    const sessionId = (await stack.app.registry.room(room))?.sessionId ?? '';
    await fetch(`${stack.api}/api/rooms/${encodeURIComponent(room)}/stop-transcription`, { method: 'POST' });
    await vi.waitFor(async () => {
      expect((await stack.app.store.record.getSession(sessionId))?.endedAt).not.toBeNull();
    }, patience);
    const { items } = await stack.app.store.record.segments(sessionId, { limit: 500 });
    const textOf = (identity: string) =>
      items
        .filter((segment) => segment.identity === identity)
        .map(({ text }) => text)
        .join(' ');
    for (const identity of ['digital silence', 'quiet hiss', 'loud hiss', 'rumble', 'hum and keys']) {
      expect([identity, textOf(identity)]).toEqual([identity, '']);
    }
    expect(wordErrors(long[0]?.text ?? '', textOf('44.1 kHz stereo')).rate).toBeLessThan(misread);
    expect(wordErrors(long[1]?.text ?? '', textOf('22.05 kHz')).rate).toBeLessThan(misread);

    const coverage = await stack.app.store.record.coverage(sessionId);
    expect(coverage).toHaveLength(7);
    for (const track of coverage) {
      expect(track).toMatchObject({ unexplainedMs: 0 });
      expect(track.totalMs).toBeGreaterThan(3_000);
    }
  }, 120_000);
});
