import type { Config } from './schema.ts';
import { settings } from './settings.ts';
import type { Environment } from './sources.ts';

/**
 * The environment for a process of ours that is to have exactly these settings, whatever they came from; everything in
 * `env` that is no setting is passed on.
 */
export function environmentWith(config: Config, env: Environment): Record<string, string> {
  const known = new Set([...settings.map((setting) => setting.env), 'DIALOGLENS_CONFIG']);
  const others = Object.entries(env).flatMap(([name, value]) =>
    value === undefined || known.has(name) ? [] : [[name, value] as const],
  );
  // JSON is YAML.
  return { ...Object.fromEntries(others), DIALOGLENS_CONFIG: JSON.stringify(config) };
}
