import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DialogLensError } from '../errors.ts';
import {
  describeConfig,
  type Environment,
  environmentWith,
  type Flags,
  loadConfig,
  type Role,
  settings,
} from './index.ts';

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

  it('reads API keys with and without a role, from the environment and from the file', () => {
    const keys = 'just-a-long-secret, viewer:reads:and-reads-and, operator: runs-the-meetings';
    expect(load({ DIALOGLENS_API_KEYS: keys }).config.apiKeys).toEqual([
      { id: 'key-1', role: 'admin', secret: 'just-a-long-secret' },
      { id: 'key-2', role: 'viewer', secret: 'reads:and-reads-and' },
      { id: 'key-3', role: 'operator', secret: 'runs-the-meetings' },
    ]);
    const file = `apiKeys:
  - { id: dashboard, role: viewer, secret: reads-and-reads-and }
  - operator:runs-the-meetings
`;
    expect(load({}, yaml(file)).config.apiKeys).toEqual([
      { id: 'dashboard', role: 'viewer', secret: 'reads-and-reads-and' },
      { id: 'key-2', role: 'operator', secret: 'runs-the-meetings' },
    ]);
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

  it('refuses bounds of the pool that contradict each other', () => {
    expect(refusal({}, yaml('pool: { min: 60 }'))).toMatch(/pool\.min: is 60, while pool\.max is 50/);
    expect(refusal({}, yaml('pool: { scaleDownAt: 0.9 }'))).toMatch(/pool\.scaleDownAt: is 0\.9/);
  });

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

  const long = 'sixteen-or-longer';
  it.each([
    ['a-secret', 'key 1: must have at least 16 characters'],
    [`${long}, viewer:short`, 'key 2: must have at least 16 characters'],
    [`vewer:${long}`, 'key 1: what stands before the colon must be viewer, operator or admin'],
    [`admin:${long}, viewer:${long}`, 'key 2: is the same as key 1'],
    [`${long} with-space`, 'key 1: may have letters, digits and signs of ASCII only, and no spaces'],
  ])('refuses the API keys %s in the environment', (keys, expected) => {
    const message = refusal({ DIALOGLENS_API_KEYS: keys });
    expect(message).toContain(`apiKeys: DIALOGLENS_API_KEYS is not valid: ${expected}`);
    for (const secret of [long, 'a-secret', 'short', 'vewer']) expect(message).not.toContain(secret);
  });

  it.each([
    [`apiKeys: ${long}`, 'must be a list of keys'],
    [`apiKeys: [{ role: boss, secret: ${long} }]`, 'key 1: role must be viewer, operator or admin'],
    [`apiKeys: [{ role: viewer }]`, 'key 1: secret must be text'],
    [`apiKeys: [{ id: a b, role: viewer, secret: ${long} }]`, 'key 1: id may have letters'],
    [`apiKeys: [{ ${long}: viewer }]`, 'key 1: '],
    [`apiKeys: [1234567890123456]`, 'key 1: must be text or an object of id (optional), role and secret'],
    [
      `apiKeys: [{ id: a, role: admin, secret: ${long}1 }, { id: a, role: viewer, secret: ${long}2 }]`,
      'key 2: has the id of key 1',
    ],
  ])('refuses the API keys of the file %s', (text, expected) => {
    const message = refusal({}, yaml(text));
    expect(message).toContain(expected);
    expect(message).not.toContain(long);
  });

  it('tells a part of a cluster what it needs, all at once and by name', () => {
    const as = (role: Role, env: Environment) => () => loadConfig({ flags: {}, env, cwd, role });
    const cluster = { DATABASE_URL: 'postgres://db/words', REDIS_URL: 'redis://cache' };
    const livekit = { LIVEKIT_URL: 'wss://lk', LIVEKIT_API_KEY: 'k', LIVEKIT_API_SECRET: 's' };
    expect(as('dispatcher', {})).toThrow(
      /3 things.*DATABASE_URL.*REDIS_URL.*LIVEKIT_URL and LIVEKIT_API_KEY/s,
    );
    expect(as('dispatcher', { ...cluster, LIVEKIT_URL: 'wss://lk' })).toThrow(/LIVEKIT_API_KEY and/);
    expect(as('dispatcher', { ...cluster, ...livekit })).not.toThrow();
    expect(as('agent', { DATABASE_URL: cluster.DATABASE_URL })).toThrow(/One thing.*set REDIS_URL/is);
  });

  it('asks no worker for LiveKit’s keys or for API keys', () => {
    const env = { DATABASE_URL: 'postgres://db/words', REDIS_URL: 'redis://cache', LIVEKIT_URL: 'wss://lk' };
    const { config } = loadConfig({ flags: { host: '0.0.0.0' }, env, cwd, role: 'agent' });
    expect(config).toMatchObject({ host: '0.0.0.0', apiKeys: [] });
  });

  it('reads flags under the names that a command gives them', () => {
    const flagNames = { 'agent.port': 'port', port: null };
    const { config, sources } = loadConfig({ flags: { port: '3011' }, env: {}, cwd, flagNames });
    expect(config).toMatchObject({ port: 3010, agent: { port: 3011 } });
    expect(sources.get('agent.port')?.name).toBe('--port');
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
        DIALOGLENS_API_KEYS: 'hush-hush-hush-hush, viewer:hush-hush-hush-2',
      }),
    );
    expect(text).not.toContain('hush');
    expect(text).toMatch(/url: wss:\/\/example\.org # LIVEKIT_URL/);
    expect(text).toMatch(/databaseUrl: postgres:\/\/me:\*+@db:5432\/words\?sslpassword=\S+ # DATABASE_URL/);
    expect(text).toMatch(/apiKeys: admin:\*+, viewer:\*+ # DIALOGLENS_API_KEYS/);
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

describe('environmentWith', () => {
  it('gives another process the same settings, wherever they came from, and what is none of ours', () => {
    const env = { LIVEKIT_URL: 'wss://a', LIVEKIT_API_KEY: 'k', LIVEKIT_API_SECRET: 's', PATH: '/bin' };
    const keys = { DIALOGLENS_API_KEYS: 'viewer:sixteen-or-longer' };
    const { config } = load(
      { ...env, ...keys },
      { ...yaml('agent: { slots: 3 }'), agentName: '', data: 'here' },
    );
    const passed = environmentWith(config, { ...env, ...keys, HOME: '/home/me' });
    expect(Object.keys(passed).sort()).toEqual(['DIALOGLENS_CONFIG', 'HOME', 'PATH']);
    expect(loadConfig({ flags: {}, env: passed, cwd: '/elsewhere' }).config).toEqual(config);
  });
});
