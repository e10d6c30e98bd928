import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { DialogLensError } from '../errors.ts';
import { issueWords } from '../issue-words.ts';
import { findContradictions, type Role } from './contradictions.ts';
import { type Config, configSchema } from './schema.ts';
import { type Setting, settings } from './settings.ts';
import {
  type Environment,
  environmentLayer,
  type FlagNames,
  type Flags,
  fileLayer,
  flagLayer,
  fromText,
  type Layer,
  type Problem,
  type Source,
} from './sources.ts';

export interface LoadOptions {
  /** Parsed flags as commander names them; those that are no settings are ignored. `config` is the YAML file. */
  flags: Flags;
  env: Environment;
  /** Relative paths begin here. */
  cwd: string;
  /** What the process is to be; default `single`. */
  role?: Role;
  /** Flags that this command spells in its own way, by setting path; null for one it does not have. */
  flagNames?: FlagNames;
}

export interface LoadedConfig {
  config: Config;
  /** Where each value came from, by setting path. */
  sources: ReadonlyMap<string, Source>;
}

/**
 * Reads the configuration: flags, then environment, then YAML file, then defaults.
 * @throws DialogLensError `invalid_config` listing every problem with its remedy; no secret is in it.
 */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const layers = [
    flagLayer(options.flags, options.flagNames),
    environmentLayer(options.env),
    fileLayer(options.flags, options.env, options.cwd),
    machineDefaults(options.env),
  ];
  const problems = layers.flatMap((layer) => layer.problems);
  const sources = new Map<string, Source>();
  const tree: Record<string, unknown> = {};
  for (const setting of settings) {
    const found = layers.map((layer) => layer.values.get(setting.path)).find((entry) => entry !== undefined);
    const source = found?.source ?? { kind: 'default', name: 'default' };
    sources.set(setting.path, source);
    const value = check(setting, found?.value, source, problems);
    if (value !== undefined) place(tree, setting.path, value);
  }
  if (problems.length > 0) throw invalid(problems);
  const config = withAbsolutePaths(configSchema.parse(withSections(tree)), options);
  const contradictions = findContradictions(config, options.role ?? 'single');
  if (contradictions.length > 0) throw invalid(contradictions);
  return { config, sources };
}

/** Reads the configuration of the running process. */
export function loadProcessConfig(
  flags: Flags,
  command: Pick<LoadOptions, 'role' | 'flagNames'> = {},
): LoadedConfig {
  return loadConfig({ flags, env: process.env, cwd: process.cwd(), ...command });
}

/** Folders as the XDG base directory specification places them. */
function machineDefaults(env: Environment): Layer {
  const home = env.HOME || homedir();
  const source: Source = { kind: 'default', name: 'default' };
  return {
    values: new Map([
      ['dataDir', { value: join(env.XDG_DATA_HOME || join(home, '.local/share'), 'dialoglens'), source }],
      ['cacheDir', { value: join(env.XDG_CACHE_HOME || join(home, '.cache'), 'dialoglens'), source }],
    ]),
    problems: [],
  };
}

function check(setting: Setting, raw: unknown, source: Source, problems: Problem[]): unknown {
  const isText = source.kind === 'flag' || source.kind === 'environment';
  const result = setting.schema.safeParse(isText ? fromText(setting, raw) : raw);
  if (result.success) return result.data;
  const reasons = new Set(result.error.issues.map(({ message }) => issueWords(message)));
  const shown = setting.secret ? '' : `is ${JSON.stringify(raw)}, which `;
  problems.push({
    field: setting.path,
    message: `${source.name} ${shown}is not valid: ${[...reasons].join('; ')}`,
    remedy: `${setting.doc} Correct or remove ${source.name}.`,
  });
  return undefined;
}

function place(tree: Record<string, unknown>, path: string, value: unknown): void {
  const [first = '', ...rest] = path.split('.');
  if (rest.length === 0) {
    tree[first] = value;
    return;
  }
  const below = { ...(tree[first] as Record<string, unknown> | undefined) };
  place(below, rest.join('.'), value);
  tree[first] = below;
}

/** A section of which nothing is set is there all the same. */
function withSections(tree: Record<string, unknown>): Record<string, unknown> {
  return { livekit: {}, ...tree };
}

function withAbsolutePaths(config: Config, { cwd, env }: LoadOptions): Config {
  const home = env.HOME || homedir();
  const absolute = (path: string) => resolve(cwd, path.replace(/^~(?=\/|$)/, home));
  const { local, livekitPlugin } = config.speech;
  const model = local.model === undefined ? {} : { model: absolute(local.model) };
  const folder = livekitPlugin.folder === undefined ? {} : { folder: absolute(livekitPlugin.folder) };
  return {
    ...config,
    dataDir: absolute(config.dataDir),
    cacheDir: absolute(config.cacheDir),
    speech: {
      ...config.speech,
      local: { ...local, ...model },
      livekitPlugin: { ...livekitPlugin, ...folder },
    },
  };
}

function invalid(problems: Problem[]): DialogLensError {
  const lines = problems.map(({ field, message, remedy }) => `  ${field}: ${message}.\n    ${remedy}`);
  const count = problems.length === 1 ? 'One thing is' : `${problems.length} things are`;
  return new DialogLensError(
    'invalid_config',
    `${count} wrong with the configuration:\n${lines.join('\n')}`,
    {
      field: problems[0]?.field ?? '',
      remedy:
        'Every setting is in docs/reference/configuration.md; `dialoglens config` shows what is in force.',
    },
  );
}
