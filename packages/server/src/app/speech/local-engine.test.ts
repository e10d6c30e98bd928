import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { loadConfig } from '../../config/index.ts';
import { localEngine } from './local-engine.ts';

const toneModel = fileURLToPath(new URL('../../testing/tone-model/', import.meta.url));

function configWith(env: Record<string, string>) {
  return loadConfig({ flags: {}, env: { HOME: '/nowhere', ...env }, cwd: '/somewhere' }).config;
}

it('tells what the model in a folder can do, and what it is', async () => {
  const config = configWith({ DIALOGLENS_SPEECH_LOCAL_MODEL: toneModel });
  expect(localEngine.capabilities(config)).toMatchObject({ languages: 'any', wordTimes: 'estimated' });
  expect(await localEngine.check(config)).toMatchObject({
    state: 'ok',
    text: expect.stringContaining('streaming NeMo CTC'),
  });
});

it('takes a model folder relative to where the program was started', () => {
  const { speech } = configWith({ DIALOGLENS_SPEECH_LOCAL_MODEL: 'models/whisper' });
  expect(speech.local.model).toBe('/somewhere/models/whisper');
});

it('is told the language by the settings', () => {
  const config = configWith({
    DIALOGLENS_SPEECH_LOCAL_MODEL: toneModel,
    DIALOGLENS_SPEECH_LOCAL_LANGUAGE: 'de',
  });
  expect(localEngine.capabilities(config).languages).toEqual(['de']);
});

it('says what is wrong with the folder, but lets a process that only dispatches go on', async () => {
  const config = configWith({ DIALOGLENS_SPEECH_LOCAL_MODEL: '/not/there' });
  await expect(localEngine.check(config)).rejects.toMatchObject({ code: 'model_folder_invalid' });
  expect(localEngine.capabilities(config).languages).toBe('any');
});

it('knows English with the model it comes with', () => {
  expect(localEngine.capabilities(configWith({})).languages).toEqual(['en']);
});
