import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Config, loadConfig } from '../config/index.ts';
import { noMetrics } from '../observability/metric-table.ts';
import { silentLogger } from '../observability/telemetry.ts';
import { sayAt } from '../stt/providers/scripted/script.ts';
import type { SttEvent } from '../stt/stt.ts';
import { type GoogleDouble, startGoogleDouble } from '../testing/google-double/google-double.ts';
import { scriptedHearing } from '../testing/provider-double/hearing.ts';
import { engineTable } from './speech/engine-table.ts';
import { createSpeech } from './speech.ts';

const telemetry = { metrics: noMetrics, logger: silentLogger };
let folder: string;
let double: GoogleDouble;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dialoglens-speech-'));
  const hearing = scriptedHearing(sayAt(200, 'said by google', 200));
  double = await startGoogleDouble({ version: 'v2', hearing });
});
afterEach(async () => {
  await double.dispose();
  await rm(folder, { recursive: true, force: true });
});

function configOf(env: Record<string, string>): Config {
  const google = {
    DIALOGLENS_SPEECH_GOOGLE_ENDPOINT: double.endpoint,
    GOOGLE_CLOUD_PROJECT: 'test',
  };
  return loadConfig({ flags: {}, env: { HOME: homedir(), ...google, ...env }, cwd: folder }).config;
}

describe('a chain of providers', () => {
  it('says what the first one hears, and what the next one hears while the first fails', async () => {
    const speech = await createSpeech(
      configOf({
        DIALOGLENS_SPEECH_PROVIDER: 'google',
        DIALOGLENS_SPEECH_FALLBACKS: 'scripted',
        DIALOGLENS_SPEECH_SCRIPT: 'said by the script',
      }),
      telemetry,
    );
    expect(await hear(speech)).toBe('said by google');
    expect(await hear(speech, { provider: 'scripted' })).toBe('said by the script');
    double.faults.add({ at: { message: 1 }, action: { do: 'refuse', as: 'forbidden' } });
    expect(await hear(speech)).toBe('said by the script');
    await speech.stop();
  });

  it('is the same for the same wish', async () => {
    const speech = await createSpeech(configOf({ DIALOGLENS_SPEECH_PROVIDER: 'scripted' }), telemetry);
    expect(speech.provider({})).toBe(speech.provider({ provider: 'scripted' }));
    await speech.stop();
  });
});

async function hear(
  speech: Awaited<ReturnType<typeof createSpeech>>,
  wish: { provider?: string } = {},
): Promise<string> {
  const finals: string[] = [];
  const onEvent = (event: SttEvent) => {
    if (event.type === 'final') finals.push(event.text);
  };
  const options = {
    trackId: 't',
    language: 'en',
    hints: [],
    startSample: 0,
    wantPartials: true,
    wantWords: true,
  };
  const session = speech.provider(wish).open(options, onEvent);
  for (let at = 0; at < 32_000; at += 1_600)
    session.write(new Int16Array(1_600), at, at >= 3_200 && at < 16_000);
  await session.finish();
  return finals.join(' ');
}

describe('settings that cannot work', () => {
  it.each([
    [
      { GOOGLE_APPLICATION_CREDENTIALS: '/nowhere/key.json' },
      'provider_credentials',
      'speech.google.credentials',
      'does not exist',
    ],
    [
      { DIALOGLENS_SPEECH_GOOGLE_MODEL: 'chirp_3' },
      'invalid_config',
      'speech.google.location',
      'not served in the location global',
    ],
    [
      { DIALOGLENS_SPEECH_GOOGLE_ENDPOINT: 'http://example.org' },
      'invalid_config',
      'speech.google.endpoint',
      'no address',
    ],
    [
      { DIALOGLENS_SPEECH_GOOGLE_ENHANCED: 'true' },
      'invalid_config',
      'speech.google.enhanced',
      'v2 has no enhanced',
    ],
  ])('are named at the start and by doctor: %j', async (env, code, field, message) => {
    const config = configOf({ DIALOGLENS_SPEECH_PROVIDER: 'google', ...env });
    const wrong = expect.objectContaining({ code, field, message: expect.stringContaining(message) });
    await expect(createSpeech(config, telemetry)).rejects.toEqual(wrong);
    await expect(async () => engineTable.google.check(config)).rejects.toEqual(wrong);
  });

  it('include a key file that is none', async () => {
    const file = join(folder, 'key.json');
    await writeFile(file, 'hush, this is no JSON');
    const config = configOf({ DIALOGLENS_SPEECH_PROVIDER: 'google', GOOGLE_APPLICATION_CREDENTIALS: file });
    await expect(createSpeech(config, telemetry)).rejects.toThrow(/is no key file/);
    await expect(createSpeech(config, telemetry)).rejects.not.toThrow(/hush/);
  });
});

describe('doctor', () => {
  it('asks Google whether it would take us', async () => {
    expect(await engineTable.google.check(configOf({}))).toEqual({ state: 'ok', text: 'takes our audio' });
    double.faults.add({ at: { message: 1 }, action: { do: 'refuse', as: 'unauthenticated' } });
    expect(await engineTable.google.check(configOf({}))).toEqual({
      state: 'wrong',
      text: expect.stringMatching(/UNAUTHENTICATED.*GOOGLE_APPLICATION_CREDENTIALS/),
    });
  });

  it('names a model and a language that Google does not know', async () => {
    expect(await engineTable.google.check(configOf({ DIALOGLENS_SPEECH_GOOGLE_MODEL: 'longest' }))).toEqual({
      state: 'wrong',
      text: expect.stringContaining('"longest"'),
    });
    await expect(async () =>
      engineTable.google.check(configOf({ DIALOGLENS_SPEECH_LANGUAGE: 'tlh' })),
    ).rejects.toThrow(expect.objectContaining({ code: 'unsupported_language' }));
  });
});
