import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../clock.ts';
import { noMetrics } from '../../../observability/metric-table.ts';
import { systemScheduler } from '../../../scheduler.ts';
import {
  type DeepgramDouble,
  startDeepgramDouble,
} from '../../../testing/deepgram-double/deepgram-double.ts';
import { deepgramPluginFolder } from '../../../testing/plugin-folder.ts';
import type { DoubleFault } from '../../../testing/provider-double/faults.ts';
import { scriptedHearing } from '../../../testing/provider-double/hearing.ts';
import { toneHearing } from '../../../testing/provider-double/tone-hearing.ts';
import { finalWords, speakSupervised, unpaced } from '../../../testing/speak-supervised.ts';
import { sttContract } from '../../../testing/stt-contract.ts';
import { toneSpeech, toneWords } from '../../../testing/tone-speech.ts';
import type { SttEvent } from '../../stt.ts';
import { sayAt } from '../scripted/script.ts';
import { PluginProvider } from './plugin-provider.ts';

const deepgram = '@livekit/agents-plugin-deepgram';
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});
let folder: string;
beforeAll(async () => {
  folder = await deepgramPluginFolder();
}, 400_000);

function provide(
  double: Pick<DeepgramDouble, 'endpoint'>,
  options: Record<string, unknown> = {},
): PluginProvider {
  const settings = {
    package: deepgram,
    folder,
    options: { apiKey: 'key', baseUrl: double.endpoint, ...options },
    hintsOption: 'keyterm',
  };
  return new PluginProvider({ settings, clock: systemClock, scheduler: systemScheduler, metrics: noMetrics });
}

sttContract('A LiveKit plugin', async () => {
  folder = await deepgramPluginFolder();
  const double = await startDeepgramDouble({
    hearing: scriptedHearing(sayAt(200, 'hello to all of you', 200)),
  });
  return {
    provider: provide(double),
    audio: new Int16Array(4 * 16_000),
    speech: (sample) => sample >= 3_200 && sample < 19_200,
    hasWords: true,
    dispose: () => double.dispose(),
  };
});

async function start(options: Record<string, unknown> = {}) {
  const double = await startDeepgramDouble({ hearing: scriptedHearing(sayAt(200, 'hello to all', 200)) });
  closers.push(() => double.dispose());
  const provider = provide(double, options);
  closers.push(() => provider.stop());
  await provider.start();
  const events: SttEvent[] = [];
  const wish = {
    language: 'de',
    hints: ['Przybylski'],
    startSample: 16_000,
    wantPartials: true,
    wantWords: true,
  };
  const session = provider.open({ trackId: 'a', ...wish }, (event) => events.push(event));
  for (let at = 16_000; at < 64_000; at += 800) session.write(new Int16Array(800), at, false);
  return { double, session, events };
}

describe('A LiveKit plugin', { timeout: 60_000 }, () => {
  it('is told what to listen for, and gives words with their places', async () => {
    const { double, session, events } = await start();
    await session.finish();
    expect(double.queries[0]?.get('language')).toBe('de');
    expect(double.queries[0]?.getAll('keyterm')).toEqual(['Przybylski']);
    const [final] = events.flatMap((event) => (event.type === 'final' ? [event] : []));
    expect(final).toMatchObject({ text: 'hello to all', confidence: 0.9, language: 'de' });
    expect(final?.words?.map((word) => word.text)).toEqual(['hello', 'to', 'all']);
    // The plugin counts some milliseconds from when it was made.
    expect((final?.startSample ?? 0) / 16).toBeGreaterThanOrEqual(1_199);
    expect((final?.startSample ?? 0) / 16).toBeLessThan(1_400);
  });

  it('tells when the service refuses its key, without telling the key', async () => {
    const { session, events } = await start({ apiKey: 'wrong' });
    await vi.waitFor(
      () => expect(events).toContainEqual(expect.objectContaining({ type: 'fault', kind: 'auth' })),
      20_000,
    );
    expect(JSON.stringify(events)).not.toContain('wrong');
    session.close();
  });

  it('loses no word when the connection is cut, unlike by itself', async () => {
    const words = toneWords.slice(60, 84);
    const faults: DoubleFault[] = [
      { at: { audioMs: 3_100 }, action: { do: 'cut' }, stream: 0 },
      { at: { audioMs: 2_300 }, action: { do: 'cut' }, stream: 1 },
    ];
    const double = await startDeepgramDouble({ hearing: toneHearing(), faults });
    closers.push(() => double.dispose());
    const plugin = provide(double);
    closers.push(() => plugin.stop());
    await plugin.start();
    const events = await speakSupervised(unpaced(plugin), toneSpeech(words, 300));
    expect(finalWords(events).map(Number)).toEqual(words);
    expect(double.queries.length).toBeGreaterThan(2);
  });
});

describe('A plugin that cannot be used is named with what to do', { timeout: 60_000 }, () => {
  async function refusal(files: Record<string, string>, name = deepgram) {
    const place = await mkdtemp(join(tmpdir(), 'dialoglens-plugin-'));
    closers.push(() => rm(place, { recursive: true }));
    for (const [path, text] of Object.entries(files)) {
      await mkdir(join(place, path, '..'), { recursive: true });
      await writeFile(join(place, path), text);
    }
    const settings = { package: name, folder: place, options: {}, hintsOption: null };
    const time = { clock: systemClock, scheduler: systemScheduler };
    const provider = new PluginProvider({ settings, metrics: noMetrics, ...time });
    closers.push(() => provider.stop());
    const error: unknown = await provider.start().catch((thrown: unknown) => thrown);
    return { error: error as { code: string; message: string; remedy: string }, place };
  }
  const agents = (version: string) => ({
    'node_modules/@livekit/agents/package.json': JSON.stringify({ version, main: 'index.js' }),
    'node_modules/@livekit/agents/index.js': 'exports.initializeLogger = () => undefined; exports.stt = {};',
    'node_modules/@livekit/rtc-node/package.json': JSON.stringify({ version: '0.13.0', main: 'index.js' }),
    'node_modules/@livekit/rtc-node/index.js': 'exports.AudioFrame = class {};',
  });

  it('when its process cannot be started', async () => {
    const { execPath } = process;
    process.execPath = '/not/there/node';
    const { error } = await refusal({}).finally(() => {
      process.execPath = execPath;
    });
    expect(error).toMatchObject({ code: 'plugin_unusable' });
    expect(error.message).toContain(`the process that loads ${deepgram} failed (ENOENT)`);
  });

  it('when it is not installed', async () => {
    const { error, place } = await refusal({});
    expect(error).toMatchObject({ code: 'plugin_unusable' });
    expect(error.message).toContain(`${deepgram} not found in ${place}`);
    expect(error.remedy).toContain(
      `npm install --prefix ${place} ${deepgram} @livekit/agents@1 @livekit/rtc-node@0.13`,
    );
  });

  it('when its LiveKit Agents are of another version', async () => {
    const plugin = {
      [`node_modules/${deepgram}/package.json`]: '{ "version": "0.5.0", "main": "index.js" }',
    };
    const { error } = await refusal({ ...agents('0.7.3'), ...plugin });
    expect(error.message).toContain('@livekit/agents 0.7.3 is installed; version 1 is needed');
  });

  it('when it has no speech-to-text', async () => {
    const { error } = await refusal(
      {
        ...agents('1.9.0'),
        'node_modules/mute/package.json': '{ "version": "1.0.0", "main": "index.js" }',
        'node_modules/mute/index.js': 'exports.TTS = class {};',
      },
      'mute',
    );
    expect(error.message).toContain('mute has no speech-to-text');
  });

  it('when its options are wrong', async () => {
    const { error } = await refusal(
      {
        ...agents('1.9.0'),
        'node_modules/picky/package.json': '{ "version": "1.0.0", "main": "index.js" }',
        'node_modules/picky/index.js':
          'exports.STT = class { constructor() { throw new Error("no API key"); } };',
      },
      'picky',
    );
    expect(error.message).toContain('no API key');
    expect(error.remedy).toContain('speech.livekitPlugin.options');
  });
});
