import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { asError, DialogLensError } from '../../../errors.ts';
import {
  detectorPackage,
  expectedFiles,
  type ModelPackage,
  modelPackages,
  moonshinePackage,
  tokenizerPackage,
  tokensFile,
} from './model-catalogue.ts';
import { fetchPackage } from './model-fetch.ts';
import { makeTokenList } from './token-list.ts';

/** Where the files of the local engine are. */
export interface ModelPaths {
  readonly tiny: { readonly encoder: string; readonly mergedDecoder: string };
  readonly base: { readonly encoder: string; readonly mergedDecoder: string };
  readonly tokens: string;
  readonly detector: string;
}

/** `bytes` of `totalBytes` of one package have arrived. */
export interface ModelProgress {
  step: string;
  bytes: number;
  totalBytes: number;
}

export interface ModelOptions {
  /** Models live in `${cacheDir}/models`. */
  cacheDir: string;
  onProgress?: (progress: ModelProgress) => void;
  /** Hash every file and replace what is damaged; otherwise only sizes are compared. */
  repair?: boolean;
  signal?: AbortSignal;
  /** Package registry to fetch from; npm's own when absent. */
  registry?: string;
}

export interface ModelFileState {
  file: string;
  state: 'ok' | 'missing' | 'damaged';
  /** Size on disk; 0 when missing. */
  bytes: number;
}

const stampName = 'verified.json';
const remedy = 'Run `dialoglens models --repair`.';
/** A temporary folder this old belongs to a process that died. */
const abandonedMs = 24 * 3_600_000;

/**
 * Makes sure that every model file is on disk and returns where. Files appear whole or not at all, also when two
 * processes do this at once. Without `repair` a file of the right size in a stamped folder is believed.
 * @throws DialogLensError `model_download_failed`, or `model_damaged` when what was fetched is not what was pinned.
 */
export async function ensureModels(options: ModelOptions): Promise<ModelPaths> {
  await ensurePackages(modelPackages, options);
  return modelPaths(options.cacheDir);
}

/** The same for the voice detector alone, which every engine needs that is not told where speech is. */
export async function ensureDetector(options: ModelOptions): Promise<string> {
  await ensurePackages([detectorPackage], options);
  return modelPaths(options.cacheDir).detector;
}

async function ensurePackages(packages: readonly ModelPackage[], options: ModelOptions): Promise<void> {
  const root = join(options.cacheDir, 'models');
  for (const model of packages) {
    options.signal?.throwIfAborted();
    if (!(await isGood(root, model, options.repair ?? false))) await install(root, model, options);
  }
}

/** Looks at every model file without changing anything; `full` compares hashes, otherwise only sizes. */
export async function checkModels(options: { cacheDir: string; full: boolean }): Promise<ModelFileState[]> {
  const states: ModelFileState[] = [];
  for (const model of modelPackages) {
    const folder = join(options.cacheDir, 'models', model.folder);
    for (const file of expectedFiles(model)) {
      const path = join(folder, file.path);
      const bytes = await sizeOf(path);
      states.push({ file: path, bytes: bytes ?? 0, state: await stateOf(path, bytes, file, options.full) });
    }
  }
  return states;
}

/**
 * Where the models are, without fetching anything; `full` compares hashes (about 0.3 s), otherwise only sizes.
 * @throws DialogLensError `model_missing` or `model_damaged`, naming the file.
 */
export async function requireModels(cacheDir: string, full = false): Promise<ModelPaths> {
  const bad = (await checkModels({ cacheDir, full })).find((file) => file.state !== 'ok');
  if (bad) {
    const missing = bad.state === 'missing';
    throw new DialogLensError(
      missing ? 'model_missing' : 'model_damaged',
      missing ? `The model file ${bad.file} does not exist.` : `The model file ${bad.file} is damaged.`,
      { remedy, field: bad.file },
    );
  }
  return modelPaths(cacheDir);
}

function modelPaths(cacheDir: string): ModelPaths {
  const moonshine = join(cacheDir, 'models', moonshinePackage.folder);
  const size = (name: string) => ({
    encoder: join(moonshine, name, 'encoder_model.onnx'),
    mergedDecoder: join(moonshine, name, 'decoder_model_merged.onnx'),
  });
  return {
    tiny: size('tiny'),
    base: size('base'),
    tokens: join(cacheDir, 'models', tokenizerPackage.folder, tokensFile.path),
    detector: join(cacheDir, 'models', detectorPackage.folder, 'silero_vad_v6.onnx'),
  };
}

async function isGood(root: string, model: ModelPackage, full: boolean): Promise<boolean> {
  const folder = join(root, model.folder);
  if ((await readIfPresent(join(folder, stampName))) !== stampOf(model)) return false;
  for (const file of expectedFiles(model)) {
    const path = join(folder, file.path);
    if ((await stateOf(path, await sizeOf(path), file, full)) !== 'ok') return false;
  }
  return true;
}

/** Fetches into a folder of our own, proves it, and only then gives it its name. */
async function install(root: string, model: ModelPackage, options: ModelOptions): Promise<void> {
  const work = join(root, `.incoming-${process.pid}-${randomBytes(6).toString('hex')}`);
  const folder = join(work, model.folder);
  try {
    await mkdir(folder, { recursive: true });
    await removeAbandoned(root);
    await fetchPackage(model, folder, options);
    await completeFolder(model, folder);
    await publish(work, folder, root, model);
  } catch (thrown) {
    if (options.signal?.aborted) throw options.signal.reason;
    if (thrown instanceof DialogLensError) throw thrown;
    throw new DialogLensError(
      'model_download_failed',
      `The ${model.step} could not be installed: ${asError(thrown).message}`,
      {
        remedy: `Check the network and the free space in ${root}, then run \`dialoglens models --repair\`.`,
        field: root,
        cause: asError(thrown),
      },
    );
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function completeFolder(model: ModelPackage, folder: string): Promise<void> {
  for (const file of model.files) await prove(join(folder, file.path), file);
  if (model.name === tokenizerPackage.name) {
    const source = await readFile(join(folder, tokenizerPackage.files[0].path), 'utf8');
    const path = join(folder, tokensFile.path);
    await writeFile(path, makeTokenList(source));
    await prove(path, tokensFile);
  }
  await writeFile(
    join(folder, 'NOTICE.txt'),
    `${model.licence}\nFrom the npm package ${model.name} ${model.version}.\n`,
  );
  await writeFile(join(folder, stampName), stampOf(model));
}

async function publish(work: string, folder: string, root: string, model: ModelPackage): Promise<void> {
  const target = join(root, model.folder);
  // Another process may have put a good folder there meanwhile: then ours is not needed.
  if (await isGood(root, model, true)) return;
  await renameIfPresent(target, join(work, 'replaced'));
  try {
    await rename(folder, target);
  } catch (thrown) {
    if (!(await isGood(root, model, true))) throw thrown;
  }
}

async function prove(path: string, expected: { bytes: number; sha256: string }): Promise<void> {
  if ((await stateOf(path, await sizeOf(path), expected, true)) === 'ok') return;
  throw new DialogLensError('model_damaged', `The fetched model file ${path} is not the pinned one.`, {
    remedy,
    field: path,
  });
}

async function stateOf(
  path: string,
  bytes: number | undefined,
  expected: { bytes: number; sha256: string },
  full: boolean,
): Promise<ModelFileState['state']> {
  if (bytes === undefined) return 'missing';
  if (bytes !== expected.bytes) return 'damaged';
  return full && (await sha256Of(path)) !== expected.sha256 ? 'damaged' : 'ok';
}

function stampOf(model: ModelPackage): string {
  return `${JSON.stringify({ files: expectedFiles(model) })}\n`;
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function sizeOf(path: string): Promise<number | undefined> {
  return ifPresent(async () => {
    const found = await stat(path);
    return found.isFile() ? found.size : undefined;
  });
}

function readIfPresent(path: string): Promise<string | undefined> {
  return ifPresent(() => readFile(path, 'utf8'));
}

async function renameIfPresent(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await ifPresent(() => rename(from, to));
}

async function removeAbandoned(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    if (!name.startsWith('.incoming-')) continue;
    const path = join(root, name);
    const found = await ifPresent(() => stat(path));
    if (found && Date.now() - found.mtimeMs > abandonedMs) await rm(path, { recursive: true, force: true });
  }
}

async function ifPresent<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (thrown) {
    const code = asError(thrown) as NodeJS.ErrnoException;
    if (code.code === 'ENOENT' || code.code === 'ENOTDIR') return undefined;
    throw thrown;
  }
}
