/**
 * Everything between a fresh clone and a program that runs: packages, build, speech model, livekit-server.
 * Each step looks first and does nothing when nothing is to do. Plain Node: this runs before any package is there.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { run, step } from './progress.mjs';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(root, 'node_modules/.dialoglens-stamp');
const dist = join(root, 'packages/server/dist');
const web = join(root, 'packages/web');
const webStampFile = join(web, 'dist/.stamp');
const oldestNode = [20, 19];

/** A step that could not be done; the message is for the person at the keyboard. */
export class SetupError extends Error {}

/** Packages and build: what every command needs. */
export async function install() {
  requireNode();
  await installPackages();
  await build();
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return;
  throw new SetupError(
    `DialogLens needs Node ${oldestNode.join('.')} or newer; this is ${process.versions.node}.`,
  );
}

async function installPackages() {
  const wanted = wantedStamp();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wanted) return;
  if (!installedMatchesLock()) {
    await step('Installing packages (about 580 MB on disk)…', async () => {
      // Flags that a surrounding `npm --silent` or NODE_ENV=production would otherwise turn the wrong way.
      const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error', '--include=dev'];
      const [command, first] = npmCommand();
      const { ok, output } = await run(command, [...first, ...args], { cwd: root });
      if (!ok) throw new SetupError(`npm ci failed:\n${output}`);
    });
  }
  writeFileSync(stampFile, wanted);
}

/** Native packages differ by platform and Node's major version, so a copied node_modules is no match. */
function wantedStamp() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  return `${lock} node${process.versions.node.split('.')[0]} ${process.platform}-${process.arch}\n`;
}

/** True when `npm install` already brought exactly what the lock file names: then nothing is fetched again. */
function installedMatchesLock() {
  const record = join(root, 'node_modules/.package-lock.json');
  if (existsSync(stampFile) || !existsSync(record)) return false;
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages;
  const locked = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(locked).every(([path, entry]) => {
    const there = installed[path];
    if (!path.includes('node_modules/') || entry.optional || entry.peer) return true;
    return there !== undefined && there.version === entry.version && there.integrity === entry.integrity;
  });
}

function npmCommand() {
  const script = process.env.npm_execpath;
  if (script?.endsWith('.js')) return [process.execPath, [script]];
  return [process.platform === 'win32' ? 'npm.cmd' : 'npm', []];
}

/** Compiles what is out of date, and puts the web application together when something it is made of has changed. */
export async function build() {
  const title = existsSync(join(dist, 'cli/main.js'))
    ? 'Checking the build…'
    : 'Building (about half a minute)…';
  await step(title, async () => {
    await runTool('typescript/bin/tsc', ['-b'], root);
    await buildWeb();
  });
}

/** Puts the web application together when something it is made of has changed. */
export async function buildWeb() {
  const wanted = webStamp();
  if (existsSync(webStampFile) && readFileSync(webStampFile, 'utf8') === wanted) return;
  const vite = (...args) => runTool('vite/bin/vite.js', ['build', '--logLevel', 'warn', ...args], web);
  await vite();
  await vite('--config', 'vite.embed.config.ts');
  writeFileSync(webStampFile, wanted);
}

/** Vite always starts anew; this tells whether it would make anything different. */
function webStamp() {
  const hash = createHash('sha256');
  for (const folder of [web, join(root, 'packages/protocol')]) {
    const names = readdirSync(folder, { recursive: true }).map((name) => name.split(sep).join('/'));
    for (const name of names.filter((one) => !/^(dist|node_modules)(\/|$)/.test(one)).sort()) {
      const path = join(folder, name);
      if (statSync(path).isFile()) hash.update(`${name}\n`).update(readFileSync(path));
    }
  }
  return `${hash.update(readFileSync(join(root, 'package-lock.json'))).digest('hex')}\n`;
}

async function runTool(tool, args, cwd) {
  const { ok, output } = await run(process.execPath, [join(root, 'node_modules', tool), ...args], { cwd });
  if (!ok) throw new SetupError(`The build failed:\n${output}`);
}

/** Speech model and livekit-server, by the product's own code. Call after `install()`. */
export async function fetchAssets() {
  await step('Speech model (Moonshine tiny and base, downloaded once)…', fetchModels);
  await step('livekit-server (found, or built once with Go: two to five minutes, 75 MB)…', findLiveKitServer);
}

async function fetchModels() {
  const { ok, output } = await run(
    process.execPath,
    [join(root, 'packages/server/bin/dialoglens.js'), 'models'],
    {
      cwd: root,
    },
  );
  if (!ok) throw new SetupError(`dialoglens models failed:\n${output}`);
}

async function findLiveKitServer() {
  const { ensureLiveKitServer } = await import(pathToFileURL(join(dist, 'livekit/server-binary.js')).href);
  const { loadConfig } = await import(pathToFileURL(join(dist, 'config/load.js')).href);
  const { config } = loadConfig({ flags: {}, env: process.env, cwd: root });
  await ensureLiveKitServer({
    cacheDir: config.cacheDir,
    environment: process.env,
    onProgress: () => undefined,
  });
}
