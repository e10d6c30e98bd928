import { expect, it } from 'vitest';
import { describeConfig, loadConfig } from '../../config/index.ts';
import { pluginEngine } from './plugin-engine.ts';

function load(env: Record<string, string>) {
  return loadConfig({ flags: {}, env: { HOME: '/nowhere', ...env }, cwd: '/somewhere' });
}

it('takes the options of a plugin from the file or as JSON, and never shows them', () => {
  const yaml =
    'speech: { livekitPlugin: { package: some-plugin, options: { apiKey: very secret, model: a } } }';
  const loaded = load({ DIALOGLENS_CONFIG: yaml });
  expect(loaded.config.speech.livekitPlugin.options).toEqual({ apiKey: 'very secret', model: 'a' });
  expect(describeConfig(loaded)).not.toContain('very secret');
  const { config } = load({ DIALOGLENS_SPEECH_LIVEKIT_PLUGIN_OPTIONS: '{"model":"b"}' });
  expect(config.speech.livekitPlugin.options).toEqual({ model: 'b' });
  const wrong = () => load({ DIALOGLENS_SPEECH_LIVEKIT_PLUGIN_OPTIONS: 'apiKey=very secret' });
  expect(wrong).toThrow('must be JSON');
  expect(wrong).not.toThrow('very secret');
});

it('names what is not set, and what is to be installed', async () => {
  await expect(pluginEngine.check(load({}).config)).rejects.toMatchObject({
    code: 'invalid_config',
    field: 'speech.livekitPlugin.package',
  });
  const { config } = load({
    DIALOGLENS_SPEECH_LIVEKIT_PLUGIN_PACKAGE: 'some-plugin',
    DIALOGLENS_DATA_DIR: '/not/there',
  });
  await expect(pluginEngine.check(config)).rejects.toMatchObject({
    code: 'plugin_unusable',
    remedy: expect.stringContaining('npm install --prefix /not/there/plugins some-plugin'),
  });
});
