import { apiPortSetting, probePort } from '../api/listen-error.ts';
import { isLoopback } from '../api/loopback.ts';
import { prepareDataFolder } from '../app/data-folder.ts';
import type { Finding } from '../app/finding.ts';
import { openConfiguredStore } from '../app/open-store.ts';
import { configuredEngines, engineTable } from '../app/speech/engine-table.ts';
import { type Config, processEnvironment } from '../config/index.ts';
import { DialogLensError } from '../errors.ts';
import { createRoomDirectory, httpUrl } from '../livekit/server-api.ts';
import { canBuildLiveKitServer, findLiveKitServer } from '../livekit/server-binary.ts';
import { configuredLiveKit } from './options.ts';
import type { RunningInstance } from './running-instance.ts';
import { withinLimit } from './within-limit.ts';

export interface Surroundings {
  config: Config;
  /** The DialogLens that this configuration already runs as, if it does. */
  running: RunningInstance | null;
}

/** May throw instead of finding something wrong: the error's words are shown then. */
type Check = (surroundings: Surroundings) => Promise<Finding>;

/** LiveKit refuses tokens from a clock that is further off than this. */
const clockToleranceMs = 30_000;
const answerWithinMs = 5_000;

/** Every check of `dialoglens doctor`, in the order in which they are shown. */
export function checksFor(config: Config): readonly (readonly [name: string, check: Check])[] {
  return [
    ['configuration', async () => ok('valid')],
    ['native modules', checkNative],
    ...speechChecks(config),
    ['data folder', checkFolder],
    ['store', checkStore],
    ['port', checkPort],
    ['LiveKit', checkLiveKit],
    ['clock', checkClock],
    ['webhooks', checkWebhooks],
  ];
}

function ok(text: string): Finding {
  return { state: 'ok', text };
}

async function checkNative(): Promise<Finding> {
  const wanted = ['@livekit/rtc-node', 'sherpa-onnx-node'];
  const failed: string[] = [];
  for (const name of wanted) {
    await import(name).catch(() => failed.push(name));
  }
  const system = `${process.platform}-${process.arch}, Node ${process.versions.node}`;
  if (failed.length === 0) return { state: 'ok', text: `loaded (${system})` };
  return {
    state: 'wrong',
    text: `${failed.join(' and ')} cannot be loaded on ${system}`,
    remedy: 'Install again with `npm ci` on this machine; glibc Linux, macOS and Windows are supported.',
  };
}

/** One line for every speech provider that is configured. */
function speechChecks(config: Config): [string, Check][] {
  return configuredEngines(config).map((name) => [
    `speech: ${name}`,
    ({ config }) => engineTable[name].check(config),
  ]);
}

async function checkFolder({ config: { dataDir } }: Surroundings): Promise<Finding> {
  await prepareDataFolder(dataDir);
  return ok(dataDir);
}

async function checkStore({ config, running }: Surroundings): Promise<Finding> {
  const store = openConfiguredStore(config);
  try {
    await store.start();
    await store.ping();
    return ok(store.kind === 'pglite' ? 'PGlite in the data folder' : 'PostgreSQL answers');
  } catch (thrown) {
    const isItsOwn = running && thrown instanceof DialogLensError && thrown.code === 'store_locked';
    if (!isItsOwn) throw thrown;
    return ok('PGlite in the data folder, in use by the DialogLens that runs');
  } finally {
    await store.stop();
  }
}

async function checkPort({ config: { host, port }, running }: Surroundings): Promise<Finding> {
  const where = `${host}:${port}`;
  if (running?.troubles.length === 0) return ok(`DialogLens runs on ${where} and is ready`);
  if (running) {
    return {
      state: 'wrong',
      text: `DialogLens runs on ${where}, but is not ready (${running.troubles.join('; ')})`,
      remedy: 'Its log says more; the checks below may say why.',
    };
  }
  await probePort({ host, port, portSetting: apiPortSetting });
  return ok(`${where} is free`);
}

async function checkLiveKit({ config }: Surroundings): Promise<Finding> {
  const target = configuredLiveKit(config);
  if (target) {
    const rooms = await createRoomDirectory(target.url, target).listRooms();
    const now = rooms.length === 1 ? '1 room' : `${rooms.length} rooms`;
    return ok(`${target.url} takes the key; ${now} now`);
  }
  const options = { cacheDir: config.cacheDir, environment: processEnvironment };
  const found = await findLiveKitServer(options);
  if (found) return ok(`none configured; our own will run (${found.path})`);
  const setYours = 'set LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET to a server that you have.';
  if (await canBuildLiveKitServer(options.environment)) {
    return {
      state: 'note',
      text: 'none configured and no livekit-server here yet',
      remedy: `\`dialoglens start\` builds one with Go (about 2 minutes); or ${setYours}`,
    };
  }
  return {
    state: 'wrong',
    text: 'none configured, no livekit-server on this machine, and no Go 1.26 to build one',
    remedy: `Install livekit-server or Go; or ${setYours}`,
  };
}

async function checkClock({ config }: Surroundings): Promise<Finding> {
  const target = configuredLiveKit(config);
  if (!target) return ok('only one clock here');
  const date = await withinLimit(answerWithinMs, (signal) => fetch(httpUrl(target.url), { signal })).then(
    (response) => Date.parse(response.headers.get('date') ?? ''),
    () => null, // Why LiveKit does not answer is said by the check before.
  );
  if (date === null || Number.isNaN(date)) {
    return {
      state: 'note',
      text: 'not compared: LiveKit does not tell its time',
      remedy: 'Keep both machines synchronised (NTP); tokens depend on it.',
    };
  }
  const offMs = Math.abs(date - Date.now());
  const text = `${(offMs / 1000).toFixed(0)} s apart from LiveKit`;
  if (offMs < clockToleranceMs) return ok(text);
  return { state: 'wrong', text, remedy: 'Synchronise both clocks (NTP); tokens depend on them.' };
}

async function checkWebhooks({ config, running }: Surroundings): Promise<Finding> {
  const { webhooks, host, port } = config;
  if (!webhooks.enabled) return ok('off; rooms are found by polling');
  const target = configuredLiveKit(config);
  if (!target) return ok('sent by our own livekit-server');
  const { taken, refused } = running?.webhooks ?? { taken: 0, refused: 0 };
  if (refused > 0) {
    return {
      state: 'wrong',
      text: `${refused} of ${taken + refused} were refused since DialogLens started`,
      remedy:
        '`webhook.api_key` of the LiveKit server must be LIVEKIT_API_KEY, and both clocks must be right.',
    };
  }
  if (taken > 0) return ok(`${taken} taken since DialogLens started`);
  if (isLoopback(host) && !isLoopback(new URL(target.url).hostname)) {
    return {
      state: 'note',
      text: `LiveKit cannot send any to ${host}; rooms are found by polling, some seconds later`,
      remedy: 'Listen on an address that LiveKit reaches (DIALOGLENS_HOST and DIALOGLENS_API_KEYS).',
    };
  }
  const shown = isLoopback(host) ? host : '<this machine>';
  return {
    state: 'note',
    text: `${running ? 'none came yet' : 'not tried'}; without them rooms are found by polling, some seconds later`,
    remedy: `Add http://${shown}:${port}/webhooks/livekit to \`webhook.urls\` of the LiveKit server.`,
  };
}
