import { Document, Scalar } from 'yaml';
import type { LoadedConfig } from './load.ts';
import type { Config } from './schema.ts';
import { type Setting, settings } from './settings.ts';

const mask = '********';

/** The configuration in force as YAML: secrets masked, each line with where its value came from. */
export function describeConfig({ config, sources }: LoadedConfig): string {
  const document = new Document({});
  for (const setting of settings) {
    const value = shownValue(setting, valueAt(config, setting.path));
    const scalar = new Scalar(value === undefined ? null : value);
    const source = sources.get(setting.path);
    scalar.comment = ` ${value === undefined ? 'not set' : (source?.name ?? 'default')}`;
    document.setIn(setting.path.split('.'), scalar);
  }
  return document.toString({ lineWidth: 0, nullStr: '' });
}

/** The value with nothing in it that must stay secret. */
function shownValue(setting: Setting, value: unknown): string | number | boolean | undefined {
  if (value === undefined) return undefined;
  if (Array.isArray(value)) {
    const shown = value.map((item) => (setting.secret ? shownSecret(item) : String(item)));
    return shown.length === 0 ? undefined : shown.join(', ');
  }
  if (typeof value === 'object' && value !== null && Object.keys(value).length === 0) return undefined;
  if (setting.secret === 'all') return mask;
  if (setting.secret === 'password') return withoutPassword(String(value));
  return typeof value === 'number' || typeof value === 'boolean' ? value : String(value);
}

/** An API key keeps its role, which tells whose key it is. */
function shownSecret(item: unknown): string {
  const role: unknown = typeof item === 'object' && item !== null ? Reflect.get(item, 'role') : undefined;
  return typeof role === 'string' ? `${role}:${mask}` : mask;
}

/** Passwords stand in the authority or, as PostgreSQL allows, in the query. */
function withoutPassword(text: string): string {
  const url = new URL(text);
  if (url.password) url.password = mask;
  for (const name of [...url.searchParams.keys()]) {
    if (/password|secret|token/i.test(name)) url.searchParams.set(name, mask);
  }
  return url.href;
}

/** The value at a dotted path. */
function valueAt(config: Config, path: string): unknown {
  let value: unknown = config;
  for (const key of path.split('.')) {
    value = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  }
  return value;
}
