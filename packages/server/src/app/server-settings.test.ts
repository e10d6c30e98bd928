import { settingsViewSchema } from '@dialoglens/protocol';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../config/index.ts';
import { settingsView } from './server-settings.ts';

function view(yaml: string, env: Record<string, string> = {}, livekit = 'ws://127.0.0.1:7880') {
  const { config } = loadConfig({ flags: {}, env: { DIALOGLENS_CONFIG: yaml, ...env }, cwd: '.' });
  return settingsViewSchema.parse(settingsView(config, livekit));
}
const chain = (speech: object) => view(JSON.stringify({ speech })).speech.chain;

describe('what a server says of its settings', () => {
  it('names the region and address of a cloud service, and what stands in for it', () => {
    const google = { location: 'europe-west4', model: 'long' };
    expect(chain({ provider: 'google', fallbacks: ['local', 'google'], google })).toEqual([
      {
        provider: 'google',
        audio: 'service',
        service: 'Google Cloud Speech-to-Text',
        region: 'europe-west4',
        endpoint: 'europe-west4-speech.googleapis.com',
        model: 'long',
      },
      expect.objectContaining({ provider: 'local', audio: 'here', endpoint: null }),
    ]);
  });

  it('names every provider once, however often it is configured', () => {
    const speech = { fallbacks: ['scripted'], onRequest: ['scripted', 'local', 'google', 'google'] };
    const { chain: used, onRequest } = view(JSON.stringify({ speech })).speech;
    expect(used.map(({ provider }) => provider)).toEqual(['local', 'scripted']);
    expect(onRequest.map(({ provider }) => provider)).toEqual(['google']);
  });

  it.each([
    [{ vertex: false, apiKey: 'k' }, null, 'generativelanguage.googleapis.com'],
    [{ vertex: true, location: 'global' }, 'global', 'aiplatform.googleapis.com'],
    [{ vertex: true, location: 'eu' }, 'eu', 'aiplatform.eu.rep.googleapis.com'],
    [{ vertex: true, location: 'europe-west4' }, 'europe-west4', 'europe-west4-aiplatform.googleapis.com'],
    [{ apiKey: 'k', endpoint: 'https://proxy.example:8443/x' }, null, 'proxy.example:8443'],
  ])('knows where Gemini with %o is', (gemini, region, endpoint) => {
    expect(chain({ provider: 'gemini', gemini })).toEqual([expect.objectContaining({ region, endpoint })]);
  });

  it('does not claim to know where a plugin sends audio', () => {
    const livekitPlugin = {
      package: '@livekit/agents-plugin-deepgram',
      options: { apiKey: 'plugin-secret' },
    };
    expect(chain({ provider: 'livekit-plugin', livekitPlugin })).toEqual([
      {
        provider: 'livekit-plugin',
        audio: 'plugin',
        service: '@livekit/agents-plugin-deepgram',
        region: null,
        endpoint: null,
        model: null,
      },
    ]);
  });

  it('tells no secret, wherever one stands', () => {
    const secrets = {
      DATABASE_URL: 'postgres://ann:db-secret@db.example:5433/x?password=db-secret',
      REDIS_URL: 'rediss://:redis-secret@redis.example:6380/0',
      GEMINI_API_KEY: 'gemini-secret',
      DIALOGLENS_API_KEYS: 'admin:an-admins-own-secret',
    };
    const shown = view(
      '{ speech: { provider: gemini } }',
      secrets,
      'wss://u:lk-secret@lk.example/?token=lk-secret',
    );
    expect(JSON.stringify(shown)).not.toMatch(/secret/);
    expect(shown).toMatchObject({
      store: { kind: 'postgres', host: 'db.example:5433' },
      registry: { kind: 'redis', host: 'redis.example:6380' },
      livekit: { url: 'wss://lk.example', publicUrl: 'wss://lk.example' },
    });
  });

  it('knows that nothing leaves the machine as it is set at first', () => {
    expect(view('{}')).toMatchObject({
      speech: { language: 'en', chain: [{ provider: 'local', audio: 'here' }], onRequest: [] },
      store: { kind: 'pglite', host: null },
      registry: { kind: 'memory', host: null },
    });
  });
});
