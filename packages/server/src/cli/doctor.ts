import { createServer } from 'node:net';
import type { Command } from 'commander';
import pc from 'picocolors';
import { prepareDataFolder } from '../app/data-folder.ts';
import { openConfiguredStore } from '../app/open-store.ts';
import { type Config, processEnvironment } from '../config/index.ts';
import { asError, DialogLensError } from '../errors.ts';
import { createRoomDirectory, httpUrl } from '../livekit/server-api.ts';
import { findLiveKitServer } from '../livekit/server-binary.ts';
import { checkModels } from '../stt/providers/local/model-store.ts';
import { configuredLiveKit, readSettings, withSettings } from './options.ts';

/** LiveKit refuses tokens from a clock that is further off than this. */
const clockToleranceMs = 30_000;
const answerWithinMs = 5_000;

interface Finding {
  ok: boolean;
  text: string;
  remedy?: string;
}
type Check = (config: Config) => Promise<Finding>;

/** `dialoglens doctor`: one line per thing that must be right, and the remedy for each that is not. */
export function addDoctor(program: Command): void {
  const command = program
    .command('doctor')
    .description('check LiveKit, keys, clock, webhooks, store, models, native modules and ports')
    .addHelpText(
      'after',
      '\nExample:\n  $ LIVEKIT_URL=wss://… LIVEKIT_API_KEY=… LIVEKIT_API_SECRET=… dialoglens doctor',
    );
  withSettings(command).action(async () => {
    const { config } = readSettings(command);
    for (const [name, check] of checks) {
      const finding = await check(config).catch(fromError);
      console.log(`${finding.ok ? pc.green('✓') : pc.red('✗')} ${name.padEnd(15)} ${finding.text}`);
      if (!finding.ok && finding.remedy) console.log(`  ${''.padEnd(15)} ${pc.dim(finding.remedy)}`);
      if (!finding.ok) process.exitCode = 1;
    }
  });
}

const checks: [string, Check][] = [
  ['configuration', async () => ({ ok: true, text: 'valid' })],
  ['native modules', checkNative],
  ['speech model', checkModel],
  ['data folder', checkFolder],
  ['store', checkStore],
  ['port', checkPort],
  ['LiveKit', checkLiveKit],
  ['clock', checkClock],
  ['webhooks', checkWebhooks],
];

function fromError(thrown: unknown): Finding {
  const error = asError(thrown);
  const remedy = error instanceof DialogLensError ? error.remedy : undefined;
  return { ok: false, text: error.message, ...(remedy && { remedy }) };
}

async function checkNative(): Promise<Finding> {
  const wanted = ['@livekit/rtc-node', 'sherpa-onnx-node'];
  const failed: string[] = [];
  for (const name of wanted) {
    await import(name).catch(() => failed.push(name));
  }
  const system = `${process.platform}-${process.arch}, Node ${process.versions.node}`;
  if (failed.length === 0) return { ok: true, text: `loaded (${system})` };
  return {
    ok: false,
    text: `${failed.join(' and ')} cannot be loaded on ${system}`,
    remedy: 'Install again with `npm ci` on this machine; glibc Linux, macOS and Windows are supported.',
  };
}

async function checkModel({ cacheDir }: Config): Promise<Finding> {
  const bad = (await checkModels({ cacheDir, full: true })).filter(({ state }) => state !== 'ok');
  if (bad.length === 0) return { ok: true, text: 'every file matches its SHA-256' };
  const first = bad[0];
  return {
    ok: false,
    text: `${first?.file} is ${first?.state}${bad.length > 1 ? `, and ${bad.length - 1} more` : ''}`,
    remedy: 'Run `dialoglens models --repair`.',
  };
}

async function checkFolder({ dataDir }: Config): Promise<Finding> {
  await prepareDataFolder(dataDir);
  return { ok: true, text: dataDir };
}

async function checkStore(config: Config): Promise<Finding> {
  const store = openConfiguredStore(config);
  try {
    await store.start();
    await store.ping();
    return { ok: true, text: store.kind === 'pglite' ? 'PGlite in the data folder' : 'PostgreSQL answers' };
  } finally {
    await store.stop();
  }
}

function checkPort({ host, port }: Config): Promise<Finding> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      const text = taken
        ? `${host}:${port} is in use`
        : `${host}:${port} cannot be listened on (${error.code})`;
      resolve({
        ok: false,
        text,
        remedy: 'Stop what uses it, or choose another with --port or DIALOGLENS_PORT.',
      });
    });
    server.listen(port, host, () => {
      server.close(() => resolve({ ok: true, text: `${host}:${port} is free` }));
    });
  });
}

async function checkLiveKit(config: Config): Promise<Finding> {
  const target = configuredLiveKit(config);
  if (target) {
    const rooms = await createRoomDirectory(target.url, target).listRooms();
    return { ok: true, text: `${target.url} takes the key; ${rooms.length} rooms now` };
  }
  const found = await findLiveKitServer({ cacheDir: config.cacheDir, environment: processEnvironment });
  if (found) return { ok: true, text: `none configured; our own will run (${found.path})` };
  return {
    ok: false,
    text: 'LIVEKIT_URL is not set and there is no livekit-server on this machine',
    remedy:
      'Set LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET, or let `dialoglens start` build one (needs Go).',
  };
}

async function checkClock(config: Config): Promise<Finding> {
  const target = configuredLiveKit(config);
  if (!target) return { ok: true, text: 'only one clock here' };
  const response = await fetch(httpUrl(target.url), { signal: AbortSignal.timeout(answerWithinMs) });
  const date = Date.parse(response.headers.get('date') ?? '');
  if (Number.isNaN(date)) return { ok: true, text: 'LiveKit does not tell its time; not compared' };
  const offMs = Math.abs(date - Date.now());
  const text = `${(offMs / 1000).toFixed(0)} s apart from LiveKit`;
  return {
    ok: offMs < clockToleranceMs,
    text,
    remedy: 'Synchronise both clocks (NTP); tokens depend on them.',
  };
}

async function checkWebhooks({ webhooks, host, port }: Config): Promise<Finding> {
  if (!webhooks.enabled) return { ok: true, text: 'off; rooms are found by polling' };
  const url = `http://${host}:${port}/webhooks/livekit`;
  return {
    ok: true,
    text: `set ${url} in LiveKit's \`webhook.urls\` (optional: rooms are found without it, later)`,
  };
}
