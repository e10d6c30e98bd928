import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { asError, DialogLensError } from '../../../errors.ts';
import {
  kindOf,
  kindSpec,
  type ModelFiles,
  type ModelKind,
  type ModelRole,
  modelKindNames,
  modelKinds,
} from './model-kinds.ts';
import { readOnnxMetadata } from './onnx-metadata.ts';

/** A folder with a model for sherpa-onnx, understood and checked. */
export interface ModelFolder {
  folder: string;
  kind: ModelKind;
  files: ModelFiles;
  tokens: string;
  /** Languages as BCP 47 primary tags, or 'any' when the files do not say. */
  languages: readonly string[] | 'any';
  /** True when the model finds out itself which of its languages it hears. */
  detectsLanguage: boolean;
}

/** Of several files with one role, those with smaller numbers are faster on a processor. */
const smallNumbers = /int8|quant/i;
const roleNames: readonly (readonly [pattern: RegExp, role: ModelRole])[] = [
  [/merged/i, 'mergedDecoder'],
  [/uncached/i, 'uncachedDecoder'],
  [/cached/i, 'cachedDecoder'],
  [/preprocess/i, 'preprocessor'],
  [/join/i, 'joiner'],
  [/encode/i, 'encoder'],
  [/decode/i, 'decoder'],
];
/** In words, for messages. */
const roleTitles: Record<ModelRole, string> = {
  encoder: 'an encoder (encoder*.onnx)',
  decoder: 'a decoder (decoder*.onnx)',
  joiner: 'a joiner (joiner*.onnx)',
  preprocessor: 'a preprocessor (preprocess*.onnx)',
  uncachedDecoder: 'an uncached decoder (uncached_decode*.onnx)',
  cachedDecoder: 'a cached decoder (cached_decode*.onnx)',
  mergedDecoder: 'a merged decoder (decoder_model_merged*.onnx)',
  model: 'a model (model*.onnx)',
};
const senseVoiceLanguages = ['zh', 'yue', 'en', 'ja', 'ko'];
const canaryLanguages = ['en', 'de', 'es', 'fr'];

/**
 * Finds out what a folder holds and whether it is complete, without loading it: the native library ends the process when
 * it is given files that do not belong together.
 * @throws DialogLensError `model_folder_invalid` that says everything that is wrong with it
 */
export function inspectModelFolder(folder: string, wanted: ModelKind | 'auto' = 'auto'): ModelFolder {
  try {
    return inspect(folder, wanted);
  } catch (thrown) {
    const error = asError(thrown) as NodeJS.ErrnoException;
    if (error instanceof DialogLensError || error.code === undefined) throw error;
    throw unreadable(folder, error);
  }
}

function inspect(folder: string, wanted: ModelKind | 'auto'): ModelFolder {
  const names = readdirSync(folder).sort();
  const { files, problems, remedy } = findRoles(folder, names);
  const metadata = metadataOf(folder, files, problems);
  const tokens = findTokens(folder, names, problems);
  const kind = wanted === 'auto' ? kindOf(files, metadata) : wanted;
  if (Object.keys(files).length === 0) problems.push('it holds no .onnx file');
  else if (kind === null && problems.length === 0) {
    problems.push(`${unknownKind(files, metadata)}; name its kind in speech.local.kind`);
  }
  if (kind !== null) problems.push(...missingRoles(files, kind));
  if (kind === null || tokens === null || problems.length > 0) throw invalid(folder, problems, remedy);
  return { folder, kind, files, tokens, ...languagesOf(kind, metadata) };
}

/** What could not be read, and what to do. */
function unreadable(folder: string, { code, path }: NodeJS.ErrnoException): DialogLensError {
  const at = path === undefined ? '' : nameIn(folder, path);
  if (at !== '')
    return invalid(folder, [`${at} in it cannot be read (${code})`], 'Let this user read all of it.');
  switch (code) {
    case 'ENOENT':
      return invalid(folder, ['it does not exist'], 'Name a folder that is there.');
    case 'ENOTDIR':
      return invalid(folder, ['it is a file'], `Name the folder it is in, ${dirname(folder)}.`);
    default:
      return invalid(folder, [`it cannot be read (${code})`], 'Let this user read all of it.');
  }
}

function findRoles(folder: string, names: readonly string[]) {
  const files: ModelFiles = {};
  const models = names.filter((name) => /\.(onnx|ort)$/i.test(name));
  for (const name of models.toSorted((a, b) => Number(smallNumbers.test(b)) - Number(smallNumbers.test(a)))) {
    const role = roleNames.find(([pattern]) => pattern.test(name))?.[1] ?? 'model';
    files[role] ??= join(folder, name);
  }
  return { files, ...(models.length > 0 ? { problems: [] } : whereElse(folder, names)) };
}

/** Where the model is when it is not in the folder. */
function whereElse(folder: string, names: readonly string[]): { problems: string[]; remedy?: string } {
  const packed = names.find((name) => /\.(tar|tar\.bz2|tar\.gz|zip)$/i.test(name));
  const inner = names.find((name) => holdsModel(join(folder, name)));
  if (inner !== undefined) {
    return { problems: [`the model is in its folder ${inner}`], remedy: `Name ${join(folder, inner)}.` };
  }
  if (packed === undefined) return { problems: [] };
  const unpack = packed.endsWith('.zip') ? `unzip ${packed}` : `tar -xf ${packed}`;
  return {
    problems: [`${packed} has to be unpacked first`],
    remedy: `Unpack it there, for instance with \`${unpack}\`, and name the folder that the .onnx files are in.`,
  };
}

function holdsModel(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found?.isDirectory() === true && readdirSync(path).some((name) => name.endsWith('.onnx'));
}

/** What the exporter wrote into the file that says most. */
function metadataOf(folder: string, files: ModelFiles, problems: string[]): ReadonlyMap<string, string> {
  let told: ReadonlyMap<string, string> = new Map();
  for (const role of ['decoder', 'encoder', 'model'] as const) {
    const path = files[role];
    // The runtime's own format has no such entries.
    if (path === undefined || path.endsWith('.ort')) continue;
    const metadata = readOnnxMetadata(path);
    if (metadata === null) problems.push(`${nameIn(folder, path)} is not an ONNX model${explain(path)}`);
    else if (metadata.size > 0) told = metadata;
  }
  return told;
}

function explain(path: string): string {
  const begin = beginning(path, 40);
  if (begin.startsWith('version https://git-lfs')) return ' but a Git LFS pointer: run `git lfs pull`';
  if (begin.trimStart().startsWith('<')) return ' but a web page';
  return `, or not all of it (${statSync(path).size} bytes)`;
}

function findTokens(folder: string, names: readonly string[], problems: string[]): string | null {
  const name = names.find((one) => one === 'tokens.txt') ?? names.find((one) => /tokens.*\.txt$/i.test(one));
  if (name === undefined) {
    problems.push('there is no tokens.txt');
    return null;
  }
  const path = join(folder, name);
  const lines = beginning(path, 4_096).split('\n').slice(0, 5);
  const isList = lines.slice(0, -1).every((line) => /\s\d+\s*$/.test(line)) && lines.length > 1;
  if (!isList) problems.push(`${name} is not a list of tokens with their numbers`);
  return path;
}

function beginning(path: string, length: number): string {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(file, bytes, 0, length, 0)).toString('utf8');
  } finally {
    closeSync(file);
  }
}

function missingRoles(files: ModelFiles, kind: ModelKind): string[] {
  const { title, roles } = kindSpec(kind);
  return roles
    .filter((role) => files[role] === undefined)
    .map((role) => `it looks like ${title}, but lacks ${roleTitles[role]}`);
}

function unknownKind(files: ModelFiles, metadata: ReadonlyMap<string, string>): string {
  const found = (Object.keys(files) as ModelRole[]).map((role) => roleTitles[role].replace(/ \(.*/, ''));
  const type = metadata.get('model_type');
  const says = type === undefined ? 'the files do not say what they are' : `the files say "${type}"`;
  return `it holds ${found.join(' and ')}, and ${says}`;
}

function languagesOf(
  kind: ModelKind,
  metadata: ReadonlyMap<string, string>,
): Pick<ModelFolder, 'languages' | 'detectsLanguage'> {
  if (kind === 'sense-voice') return { languages: senseVoiceLanguages, detectsLanguage: true };
  if (kind === 'canary') return { languages: canaryLanguages, detectsLanguage: false };
  if (kind !== 'whisper') return { languages: 'any', detectsLanguage: false };
  if (metadata.get('is_multilingual') !== '1') return { languages: ['en'], detectsLanguage: false };
  const codes = (metadata.get('all_language_codes') ?? '').split(',').filter((code) => code !== '');
  return { languages: codes.length > 0 ? codes : 'any', detectsLanguage: true };
}

function nameIn(folder: string, path: string): string {
  return path.slice(folder.length).replace(/^[/\\]/, '');
}

function invalid(folder: string, problems: readonly string[], remedy?: string): DialogLensError {
  return new DialogLensError(
    'model_folder_invalid',
    `The model folder ${folder} cannot be used: ${problems.join('; ')}.`,
    {
      field: 'speech.local.model',
      remedy: remedy ?? `Known kinds are ${modelKindNames.map((name) => modelKinds[name].title).join(', ')}.`,
    },
  );
}
