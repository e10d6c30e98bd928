import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DialogLensError } from '../errors.ts';
import { describeConfig, type Environment, type Flags, loadConfig, settings } from './index.ts';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'dialoglens-config-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const load = (env: Environment = {}, flags: Flags = {}) =>
  loadConfig({ flags, env: { HOME: '/home/me', ...env }, cwd });

/** The message of the error that loading must end with. */
function refusal(env: Environment, flags: Flags = {}): string {
  try {
    load(env, flags);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(DialogLensError);
    if (thrown instanceof DialogLensError) {
      expect(thrown.code).toBe('invalid_config');
      return thrown.message;
    }
  }
  throw new Error('the configuration was accepted');
}

function yaml(text: string): Flags {
  writeFileSync(join(cwd, 'dialoglens.yaml'), text);
  return { config: 'dialoglens.yaml' };
}

describe('precedence', () => {
  it('needs nothing', () => {
    const { config } = load();
    expect(config).toMatchObject({ port: 3010, host: '127.0.0.1', livekit: {}, apiKeys: [] });
    expect(config.speech).toMatchObject({ language: 'en', endSilenceMs: 800, maxUtteranceMs: 12_000 });
    expect(config.dataDir).toBe('/home/me/.local/share/dialoglens');
    expect(config.cacheDir).toBe('/home/me/.cache/dialoglens');
  });

  it('takes flags before environment before file before defaults', () => {
    const file = yaml('port: 4001\nlog:\n  level: warn\nagent:\n  slots: 3\n');
    const { config, sources } = load(
      { DIALOGLENS_PORT: '4002', LOG_LEVEL: 'debug' },
      { ...file, port: '4003' },
    );
    expect(config.port).toBe(4003);
    expect(config.log.level).toBe('debug');
    expect(config.agent.slots).toBe(3);
    expect(config.agent.maxParticipants).toBe(50);
    expect(sources.get('port')?.name).toBe('--port');
    expect(sources.get('log.level')?.name).toBe('LOG_LEVEL');
    expect(sources.get('agent.slots')?.name).toBe('dialoglens.yaml: agent.slots');
    expect(sources.get('agent.maxParticipants')?.kind).toBe('default');
  });

  it('takes the whole file from DIALOGLENS_CONFIG', () => {
    expect(load({ DIALOGLENS_CONFIG: 'webhooks: { enabled: false }' }).config.webhooks.enabled).toBe(false);
  });

  it('ignores flags of the command, empty variables, empty sections and variables of tests', () => {
    const env = { LIVEKIT_URL: '', DIALOGLENS_TEST_SEED: '7', DIALOGLENS_CONFIG: 'speech:\nport:\n' };
    expect(load(env, { follow: true }).config).toMatchObject({ port: 3010, speech: { language: 'en' } });
  });

  it('follows XDG, resolves relative folders and expands the home folder', () => {
    const { config } = load({ XDG_CACHE_HOME: '/xdg' }, { ...yaml('dataDir: ~/words'), data: undefined });
    expect(config.cacheDir).toBe('/xdg/dialoglens');
    expect(config.dataDir).toBe('/home/me/words');
    expect(load({}, { data: 'here' }).config.dataDir).toBe(join(cwd, 'here'));
  });

  it.each(settings.map((setting) => [setting.env, setting] as const))(
    'has a distinct variable %s',
    (env, setting) => {
      expect(settings.filter((other) => other.env === env)).toEqual([setting]);
    },
  );
});

describe('problems', () => {
  it('names the nearest key for unknown ones', () => {
    expect(refusal({ DIALOGLENS_PROT: '1' })).toContain('Did you mean DIALOGLENS_PORT?');
    expect(refusal({ DIALOGLENS_SLOTS: '1' })).toContain('Did you mean DIALOGLENS_AGENT_SLOTS?');
    expect(refusal({}, yaml('speech:\n  langauge: de'))).toContain('Did you mean speech.language?');
    expect(refusal({}, yaml('slots: 4'))).toContain('Did you mean agent.slots?');
    expect(refusal({}, yaml('api_keys: [a]'))).toContain('Did you mean apiKeys?');
    expect(refusal({}, yaml('xylophone: 4'))).not.toContain('Did you mean');
  });

  it('lists all of them with field, source and remedy', () => {
    const message = refusal({ DIALOGLENS_PORT: '99999', LOG_LEVEL: 'loud' }, yaml('agent: 3\nfoo: 1'));
    expect(message).toContain('4 things are wrong');
    expect(message).toMatch(/port: DIALOGLENS_PORT is "99999"/);
    expect(message).toMatch(/log\.level: LOG_LEVEL is "loud"/);
    expect(message).toMatch(/agent: in dialoglens\.yaml must hold keys/);
    expect(message).toMatch(/foo: is no known key/);
  });

  it.each([
    [{ LIVEKIT_URL: 'wss://example.org' }, 'LIVEKIT_API_KEY and LIVEKIT_API_SECRET are missing'],
    [{ LIVEKIT_URL: 'wss://example.org', LIVEKIT_API_KEY: 'k' }, 'LIVEKIT_API_SECRET is missing'],
    [{ LIVEKIT_API_KEY: 'k', LIVEKIT_API_SECRET: 's' }, 'LIVEKIT_URL is missing'],
  ])('refuses half of the LiveKit settings', (env, expected) => {
    expect(refusal(env)).toContain(expected);
  });

  it.each(['0.0.0.0', '::', '192.0.2.1', 'captions.example.org'])(
    'refuses to listen on %s without keys',
    (host) => {
      expect(refusal({ DIALOGLENS_HOST: host })).toContain('DIALOGLENS_API_KEYS');
      const keys = 'a-key-that-is-long-enough, another-key-that-is-long';
      expect(load({ DIALOGLENS_HOST: host, DIALOGLENS_API_KEYS: keys }).config.apiKeys).toHaveLength(2);
    },
  );

  it.each(['localhost', '127.0.0.9', '::1'])('listens on %s without keys', (host) => {
    expect(load({ DIALOGLENS_HOST: host }).config.host).toBe(host);
  });

  it.each([
    ['port: [1', 'is not valid YAML'],
    ['- a', 'must hold keys and values'],
    ['port: "3010"', 'which is not valid'],
    ['a: &a [*a]', 'is no known key'],
    ['__proto__: { port: 1 }', '__proto__: is no known key'],
  ])('refuses the file %j', (text, expected) => {
    expect(refusal({}, yaml(text))).toContain(expected);
  });

  it('says which file is missing', () => {
    expect(refusal({}, { config: 'nowhere.yaml' })).toMatch(/--config: cannot be read.*nowhere\.yaml/);
  });

  it('never shows a secret', () => {
    const message = refusal({
      DIALOGLENS_API_KEYS: 'hush',
      DATABASE_URL: 'mysql://user:hush@db/x',
      REDIS_URL: 'hush',
      DIALOGLENS_PORT: 'x',
    });
    expect(message).toContain('4 things');
    expect(message).not.toContain('hush');
  });
});

describe('describeConfig', () => {
  it('masks secrets and says where values came from', () => {
    const text = describeConfig(
      load({
        LIVEKIT_URL: 'wss://example.org',
        LIVEKIT_API_KEY: 'key',
        LIVEKIT_API_SECRET: 'hush-hush',
        DATABASE_URL: 'postgres://me:hush-hush@db:5432/words?sslpassword=hush-hush',
        DIALOGLENS_API_KEYS: 'hush-hush-hush-hush',
      }),
    );
    expect(text).not.toContain('hush');
    expect(text).toMatch(/url: wss:\/\/example\.org # LIVEKIT_URL/);
    expect(text).toMatch(/databaseUrl: postgres:\/\/me:\*+@db:5432\/words\?sslpassword=\S+ # DATABASE_URL/);
    expect(text).toMatch(/port: 3010 # default/);
    expect(text).toMatch(/workerId: # not set/);
  });

  it('is read back to the same settings', () => {
    const first = load({ DIALOGLENS_AGENT_SLOTS: '4', DIALOGLENS_SPEECH_PARTIALS: 'off' });
    const second = load({ DIALOGLENS_CONFIG: describeConfig(first) });
    expect(second.config).toEqual(first.config);
    expect(second.config.speech.partials).toBe(false);
  });
});
