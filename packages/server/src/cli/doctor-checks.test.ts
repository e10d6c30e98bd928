import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createApi } from '../api/server.ts';
import type { Finding } from '../app/finding.ts';
import { systemClock } from '../clock.ts';
import { type Config, loadConfig } from '../config/index.ts';
import { lockFolder } from '../store/folder-lock.ts';
import { checkModels } from '../stt/providers/local/model-store.ts';
import { FakeApiPorts } from '../testing/fake-api-ports.ts';
import { checksFor } from './doctor-checks.ts';
import { countWebhooks, findRunning, type RunningInstance } from './running-instance.ts';

let folder: string;
const closers: (() => unknown)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dialoglens-doctor-'));
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

function configOf(env: Record<string, string> = {}): Config {
  const dirs = { DIALOGLENS_DATA_DIR: join(folder, 'data'), DIALOGLENS_CACHE_DIR: join(folder, 'cache') };
  return loadConfig({ flags: {}, env: { HOME: folder, ...dirs, ...env }, cwd: folder }).config;
}

function check(name: string, config: Config, running: RunningInstance | null = null): Promise<Finding> {
  const found = checksFor(config).find(([known]) => known === name);
  if (!found) throw new Error(`there is no check ${name}`);
  return found[1]({ config, running });
}

async function listen(answer: RequestListener): Promise<number> {
  const server = await new Promise<Server>((resolve) => {
    const starting = createServer(answer).listen(0, '127.0.0.1', () => resolve(starting));
  });
  closers.push(() => server.close());
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const livekit = (url: string) => ({ LIVEKIT_URL: url, LIVEKIT_API_KEY: 'k', LIVEKIT_API_SECRET: 's' });
const idle: RunningInstance = { troubles: [], webhooks: { taken: 0, refused: 0 } };

it('tells a model that was never fetched from one that is damaged, and names the file', async () => {
  const config = configOf();
  expect(await check('speech: local', config)).toMatchObject({
    state: 'note',
    remedy: expect.stringContaining('dialoglens models'),
  });
  const [first] = await checkModels({ cacheDir: config.cacheDir, full: false });
  const file = first?.file ?? '';
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, 'broken');
  expect(await check('speech: local', config)).toEqual({
    state: 'wrong',
    text: expect.stringContaining(`${file} is damaged`),
    remedy: expect.stringContaining('models --repair'),
  });
});

it('checks every speech provider that is configured, once', async () => {
  const config = configOf({
    DIALOGLENS_SPEECH_PROVIDER: 'scripted',
    DIALOGLENS_SPEECH_FALLBACKS: 'local',
    DIALOGLENS_SPEECH_ON_REQUEST: 'local,scripted',
  });
  const names = checksFor(config).map(([name]) => name);
  expect(names.filter((name) => name.startsWith('speech'))).toEqual(['speech: scripted', 'speech: local']);
  expect(await check('speech: scripted', config)).toMatchObject({ state: 'ok' });
});

it('tells a port that DialogLens itself uses from one that a stranger has', async () => {
  const ports = new FakeApiPorts(systemClock);
  const api = createApi(ports.deps());
  const { port } = await api.start();
  closers.push(() => api.stop('test over'));
  const own = configOf({ DIALOGLENS_PORT: String(port) });
  expect(await check('port', own, await findRunning(own))).toMatchObject({ state: 'ok' });
  ports.ready = false;
  expect(await check('port', own, await findRunning(own))).toMatchObject({
    state: 'wrong',
    text: expect.stringContaining('not ready (store)'),
  });
  const strange = configOf({
    DIALOGLENS_PORT: String(await listen((_, response) => response.end('{"ready":true,"checks":{}}'))),
  });
  expect(await findRunning(strange)).toBeNull();
  await expect(check('port', strange)).rejects.toMatchObject({
    code: 'port_in_use',
    message: expect.stringContaining('is in use'),
    remedy: expect.stringContaining('--port'),
  });
});

it('takes a store that is locked for well only when the DialogLens that runs holds it', async () => {
  const config = configOf();
  const lock = await lockFolder(join(config.dataDir, 'store'));
  closers.push(() => lock.release());
  expect(await check('store', config, idle)).toMatchObject({ state: 'ok' });
  await expect(check('store', config)).rejects.toMatchObject({ code: 'store_locked' });
});

it('says how to get a LiveKit, by what this machine has', async () => {
  const bin = join(folder, 'programs');
  await mkdir(bin);
  vi.stubEnv('PATH', bin);
  expect(await check('LiveKit', configOf())).toMatchObject({
    state: 'wrong',
    remedy: expect.stringMatching(/Install livekit-server or Go; or set LIVEKIT_URL/),
  });
  await writeFile(join(bin, 'go'), '#!/bin/sh\necho go version go1.26.1\n');
  await chmod(join(bin, 'go'), 0o755);
  expect(await check('LiveKit', configOf())).toMatchObject({
    state: 'note',
    remedy: expect.stringContaining('builds one with Go'),
  });
});

it('finds clocks that are too far apart, and none when LiveKit does not answer', async () => {
  const late = new Date(Date.now() - 300_000).toUTCString();
  const port = await listen((_, response) => response.setHeader('date', late).end('OK'));
  const far = await check('clock', configOf(livekit(`ws://127.0.0.1:${port}`)));
  expect(far).toMatchObject({ state: 'wrong', remedy: expect.stringContaining('NTP') });
  expect(far.text).toMatch(/^(299|30\d) s apart/);
  expect(await check('clock', configOf(livekit('ws://127.0.0.1:1')))).toMatchObject({ state: 'note' });
});

it('says where webhooks must go, whether they can arrive, and whether they do', async () => {
  const near = configOf(livekit('ws://127.0.0.1:7880'));
  expect((await check('webhooks', near)).remedy).toContain('http://127.0.0.1:3010/webhooks/livekit');
  expect(await check('webhooks', configOf(livekit('wss://livekit.example.com')))).toMatchObject({
    state: 'note',
    text: expect.stringContaining('LiveKit cannot send any to 127.0.0.1'),
    remedy: expect.stringContaining('DIALOGLENS_HOST'),
  });
  const seen = (metrics: string) => check('webhooks', near, { ...idle, webhooks: countWebhooks(metrics) });
  const taken = 'dialoglens_webhooks_total{event="room_started",result="accepted"} 4\n';
  const refused = 'dialoglens_webhooks_total{event="none",result="rejected"} 2\n';
  expect(await seen(taken)).toEqual({ state: 'ok', text: '4 taken since DialogLens started' });
  expect(await seen(taken + refused)).toMatchObject({
    state: 'wrong',
    text: expect.stringContaining('2 of 6 were refused'),
    remedy: expect.stringContaining('webhook.api_key'),
  });
});
