import type { Command } from 'commander';
import {
  type Config,
  defaultText,
  type FlagNames,
  flagOf,
  type LoadedConfig,
  type LoadOptions,
  loadProcessConfig,
  type Setting,
  settings,
  valueRange,
} from '../config/index.ts';
import { DialogLensError } from '../errors.ts';

/** Adds `--config` and a flag for every setting that has one, or for those in `only`. */
export function withSettings(command: Command, only?: readonly string[], names?: FlagNames): Command {
  command.option('-c, --config <file>', 'YAML file with settings');
  for (const setting of settings) {
    const flag = flagOf(setting, names);
    if (!flag || (only && !only.includes(setting.path))) continue;
    command.option(`--${flag}${placeholder(setting, flag)}`, helpText(setting));
  }
  return command;
}

/** ` <policy>`, ` <number>`, ` <folder>`; nothing for a switch. */
function placeholder({ kind, path }: Setting, flag: string): string {
  if (kind === 'boolean') return '';
  if (kind === 'number') return ' <number>';
  return ` <${path === 'dataDir' ? 'folder' : flag.split('-').at(-1)}>`;
}

/** What the setting does, then its choices, its environment variable and its default. */
function helpText(setting: Setting): string {
  const range = valueRange(setting).replaceAll('`', '');
  const standard = defaultText(setting).replaceAll('`', '');
  const notes = [
    ...(range.includes(', ') ? [`one of ${range}`] : []),
    `env ${setting.env}`,
    ...(standard === 'not set' ? [] : [`default ${standard}`]),
  ];
  return `${setting.doc} [${notes.join('; ')}]`;
}

/** The configuration of a command. @throws DialogLensError `invalid_config` */
export function readSettings(
  command: Command,
  options?: Pick<LoadOptions, 'role' | 'flagNames'>,
): LoadedConfig {
  return loadProcessConfig(command.opts(), options);
}

/** The three LiveKit settings, or null when none is set (the schema refuses one or two). */
export function configuredLiveKit(config: Config): { url: string; apiKey: string; apiSecret: string } | null {
  const { url, apiKey, apiSecret } = config.livekit;
  return url && apiKey && apiSecret ? { url, apiKey, apiSecret } : null;
}

/** The three LiveKit settings of a role that the schema refuses without them. */
export function requireLiveKit(config: Config): { url: string; apiKey: string; apiSecret: string } {
  const livekit = configuredLiveKit(config);
  if (livekit) return livekit;
  throw new DialogLensError('invalid_config', 'LiveKit is not configured.', {
    field: 'LIVEKIT_URL',
    remedy: 'Set LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET.',
  });
}
