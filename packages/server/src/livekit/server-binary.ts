import { execFile, spawn } from 'node:child_process';
import { access, constants, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { asError, DialogLensError } from '../errors.ts';

/** The release that DialogLens is tested with. Later ones replace modules in go.mod, which `go install` refuses. */
export const liveKitServerVersion = 'v1.13.5';
const module = 'github.com/livekit/livekit-server/cmd/server';
/** From that release's go.mod. */
const oldestGo = [1, 26] as const;
/** A build takes about two minutes on two cores; one that takes this long will not end. */
const buildLimitMs = 20 * 60_000;
const answerLimitMs = 10_000;
/** Enough of the compiler's words to see why a build failed. */
const keptOutput = 4_000;
const suffix = process.platform === 'win32' ? '.exe' : '';

export interface BinaryOptions {
  /** Builds are kept in `bin/` below it. */
  cacheDir: string;
  /** Environment for Go and for finding programs: its PATH, HOME, proxies. */
  environment: Readonly<Record<string, string | undefined>>;
}

export interface EnsureOptions extends BinaryOptions {
  /** Told in a sentence for a person when a build begins. */
  onProgress: (message: string) => void;
  /** Ends a build; the promise then rejects with the signal's reason. */
  signal?: AbortSignal;
}

export interface FoundBinary {
  path: string;
  foundIn: 'path' | 'cache' | 'build';
}

/** Looks on the PATH, then in the cache. Null when it is in neither. */
export async function findLiveKitServer(options: BinaryOptions): Promise<FoundBinary | null> {
  if (await answer('livekit-server', ['--version'], options.environment)) {
    return { path: 'livekit-server', foundIn: 'path' };
  }
  const path = cachedPath(options.cacheDir);
  const isThere = await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
  return isThere ? { path, foundIn: 'cache' } : null;
}

/**
 * Finds livekit-server or builds it with Go into the cache.
 * @throws DialogLensError `livekit_server_missing` with the ways to get one.
 */
export async function ensureLiveKitServer(options: EnsureOptions): Promise<FoundBinary> {
  const found = await findLiveKitServer(options);
  if (found) return found;
  await requireGo(options.environment);
  await build(options);
  return { path: cachedPath(options.cacheDir), foundIn: 'build' };
}

function cachedPath(cacheDir: string): string {
  return join(cacheDir, 'bin', `livekit-server-${liveKitServerVersion}${suffix}`);
}

/** What a program prints, or null when it is not there or fails. */
async function answer(
  program: string,
  args: readonly string[],
  environment: BinaryOptions['environment'],
): Promise<string | null> {
  try {
    const options = { timeout: answerLimitMs, env: { ...environment } };
    return (await promisify(execFile)(program, [...args], options)).stdout;
  } catch {
    return null; // Not there or not usable is an answer here: the next way is tried.
  }
}

/** Whether there is a Go that `ensureLiveKitServer` could build with. */
export async function canBuildLiveKitServer(environment: BinaryOptions['environment']): Promise<boolean> {
  const text = await goVersion(environment);
  return text !== null && isNewEnough(text);
}

/** What `go version` says; null when there is no Go. */
function goVersion(environment: BinaryOptions['environment']): Promise<string | null> {
  return answer('go', ['version'], { ...environment, GOTOOLCHAIN: 'local' });
}

function isNewEnough(goVersionText: string): boolean {
  const [, major, minor] = /go(\d+)\.(\d+)/.exec(goVersionText) ?? [];
  return Number(major) > oldestGo[0] || (Number(major) === oldestGo[0] && Number(minor) >= oldestGo[1]);
}

async function requireGo(environment: BinaryOptions['environment']): Promise<void> {
  const text = await goVersion(environment);
  if (text === null) throw missing('There is no livekit-server on the PATH and no Go to build one with.');
  if (isNewEnough(text)) return;
  throw missing(
    `There is no livekit-server on the PATH, and building one needs Go ${oldestGo.join('.')} (here: ${text.trim()}).`,
  );
}

function missing(message: string, cause?: unknown): DialogLensError {
  return new DialogLensError('livekit_server_missing', message, {
    remedy: [
      'Any one of these will do:',
      '  - install it with a package manager: `brew install livekit`, or on Linux as https://docs.livekit.io/home/self-hosting/local/ says',
      '  - run it in a container and set LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET:',
      '    docker run --rm --network host livekit/livekit-server --dev   (ws://127.0.0.1:7880, devkey, secret)',
      `  - install Go ${oldestGo.join('.')} or newer; DialogLens then builds it by itself`,
      '  - set LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET to a server that you have, or to LiveKit Cloud',
    ].join('\n'),
    cause,
  });
}

/** Builds in a folder of its own and moves the finished file, so that the cache never holds half a binary. */
async function build(options: EnsureOptions): Promise<void> {
  const folder = join(options.cacheDir, 'bin');
  await mkdir(folder, { recursive: true });
  const temporary = await mkdtemp(join(folder, 'building-'));
  options.onProgress(
    `Building livekit-server ${liveKitServerVersion} with Go, once (about 2 minutes, 75 MB on disk)…`,
  );
  try {
    await goInstall(temporary, options);
    await rename(join(temporary, `server${suffix}`), cachedPath(options.cacheDir));
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

function goInstall(target: string, { environment, signal }: EnsureOptions): Promise<void> {
  const limit = AbortSignal.timeout(buildLimitMs);
  const child = spawn('go', ['install', '-ldflags=-s -w', `${module}@${liveKitServerVersion}`], {
    env: { ...environment, GOBIN: target, GOTOOLCHAIN: 'local' },
    stdio: ['ignore', 'ignore', 'pipe'],
    signal: signal ? AbortSignal.any([limit, signal]) : limit,
  });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-keptOutput);
  });
  return new Promise((resolve, reject) => {
    child.on('error', (error) => {
      if (signal?.aborted) reject(asError(signal.reason));
      else reject(missing(`Building livekit-server failed: ${error.message}`, error));
    });
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(missing(`Building livekit-server with Go failed:\n${output.trim()}`));
    });
  });
}
