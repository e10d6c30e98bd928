import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { asError } from '../errors.ts';
import { nearestKey } from './nearest-key.ts';
import { type Setting, sections, settings } from './settings.ts';

/** Where a value came from. */
export interface Source {
  kind: 'flag' | 'environment' | 'file' | 'default';
  /** `--port`, `DIALOGLENS_PORT`, `dialoglens.yaml: port`, or `default`. */
  name: string;
}

/** Something wrong with the configuration, ready to be shown. Never holds the value of a secret. */
export interface Problem {
  /** Path or variable concerned. */
  field: string;
  message: string;
  remedy: string;
}

export type Flags = Readonly<Record<string, unknown>>;
export type Environment = Readonly<Record<string, string | undefined>>;

/** How a command spells flags, by setting path, where it differs from the schema; null for one it does not have. */
export type FlagNames = Readonly<Record<string, string | null>>;

/** The flag of a setting, or undefined when it has none here. */
export function flagOf(setting: Setting, names: FlagNames = {}): string | undefined {
  const own = names[setting.path];
  return own === undefined ? setting.flag : (own ?? undefined);
}

/** One layer of values by setting path. */
export interface Layer {
  values: Map<string, { value: unknown; source: Source }>;
  problems: Problem[];
}

/** Variables that are ours but no settings: the whole YAML file, and what the test suite tells its own processes. */
const otherVariables = /^DIALOGLENS_(CONFIG$|TEST_)/;

/** Flags as commander names them (`--livekit-url` → `livekitUrl`). Keys that are no setting belong to the command. */
export function flagLayer(flags: Flags, names?: FlagNames): Layer {
  const values: Layer['values'] = new Map();
  for (const setting of settings) {
    const flag = flagOf(setting, names);
    if (flag === undefined) continue;
    const value = flags[camelCase(flag)];
    if (value !== undefined) values.set(setting.path, { value, source: { kind: 'flag', name: `--${flag}` } });
  }
  return { values, problems: [] };
}

function camelCase(flag: string): string {
  return flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** An empty variable counts as unset: compose files pass on what is not there in this form. */
export function environmentLayer(env: Environment): Layer {
  const values: Layer['values'] = new Map();
  for (const setting of settings) {
    const value = env[setting.env];
    if (value) values.set(setting.path, { value, source: { kind: 'environment', name: setting.env } });
  }
  const known = settings.map((setting) => setting.env);
  const problems = Object.keys(env)
    .filter((name) => name.startsWith('DIALOGLENS_') && !otherVariables.test(name) && !known.includes(name))
    .map((name) => unknownKey(name, [...known, 'DIALOGLENS_CONFIG'], 'environment variable'));
  return { values, problems };
}

/** The YAML file named by `--config`; else the text in `DIALOGLENS_CONFIG`; else nothing. */
export function fileLayer(flags: Flags, env: Environment, cwd: string): Layer {
  const path = flags.config;
  if (typeof path === 'string') return readFile(path, cwd);
  return env.DIALOGLENS_CONFIG ? parse(env.DIALOGLENS_CONFIG, 'DIALOGLENS_CONFIG') : empty();
}

function empty(problems: Problem[] = []): Layer {
  return { values: new Map(), problems };
}

function readFile(path: string, cwd: string): Layer {
  let text: string;
  try {
    text = readFileSync(resolve(cwd, path), 'utf8');
  } catch (thrown) {
    const message = `cannot be read: ${asError(thrown).message}`;
    return empty([{ field: '--config', message, remedy: 'Give the path of a YAML file that exists.' }]);
  }
  return parse(text, path);
}

function parse(text: string, name: string): Layer {
  const remedy = 'Write it as YAML with one `key: value` a line; see docs/reference/configuration.md.';
  const document = parseDocument(text);
  const error = document.errors[0];
  if (error)
    return empty([{ field: name, message: `is not valid YAML: ${firstLine(error.message)}`, remedy }]);
  const content: unknown = document.toJS();
  if (content === null || content === undefined) return empty();
  if (!isObject(content)) return empty([{ field: name, message: 'must hold keys and values', remedy }]);
  const layer = empty();
  readSection(content, '', name, layer);
  return layer;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readSection(section: Record<string, unknown>, above: string, name: string, layer: Layer): void {
  for (const [key, value] of Object.entries(section)) {
    const path = above === '' ? key : `${above}.${key}`;
    if (sections.includes(path)) {
      if (isObject(value)) readSection(value, path, name, layer);
      else if (value !== null) layer.problems.push(notASection(path, name));
    } else if (!settings.some((setting) => setting.path === path)) {
      layer.problems.push(
        unknownKey(path, [...settings.map((setting) => setting.path), ...sections], `key in ${name}`),
      );
    } else if (value !== null) {
      layer.values.set(path, { value, source: { kind: 'file', name: `${name}: ${path}` } });
    }
  }
}

function notASection(path: string, name: string): Problem {
  const keys = settings
    .filter((s) => s.path.startsWith(`${path}.`))
    .map((s) => s.path.slice(path.length + 1));
  return {
    field: path,
    message: `in ${name} must hold keys`,
    remedy: `Put some of these below it: ${keys.join(', ')}.`,
  };
}

function unknownKey(name: string, known: readonly string[], what: string): Problem {
  const nearest = nearestKey(name, known);
  const remedy = nearest
    ? `Did you mean ${nearest}?`
    : 'Remove it, or see docs/reference/configuration.md for all.';
  return { field: name, message: `is no known ${what}`, remedy };
}

/** Turns text from a flag or the environment into what the setting holds; leaves what it cannot read as it is. */
export function fromText(setting: Setting, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const text = value.trim();
  if (setting.kind === 'number') return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  if (setting.kind === 'boolean')
    return { true: true, on: true, 1: true, false: false, off: false, 0: false }[text] ?? text;
  if (setting.kind === 'list')
    return text
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean);
  return text;
}
