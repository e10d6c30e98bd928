import type { Command } from 'commander';
import { type Config, type LoadedConfig, loadProcessConfig, settings } from '../config/index.ts';

/** Adds `--config` and a flag for every setting that has one. */
export function withSettings(command: Command, only?: readonly string[]): Command {
  command.option('-c, --config <file>', 'YAML file with settings');
  for (const setting of settings) {
    if (!setting.flag || (only && !only.includes(setting.path))) continue;
    const value = setting.kind === 'boolean' ? '' : ` <${setting.flag.split('-').at(-1)}>`;
    command.option(`--${setting.flag}${value}`, setting.doc);
  }
  return command;
}

/** The configuration of a command. @throws DialogLensError `invalid_config` */
export function readSettings(command: Command): LoadedConfig {
  return loadProcessConfig(command.opts());
}

/** The three LiveKit settings, or null when none is set (the schema refuses one or two). */
export function configuredLiveKit(config: Config): { url: string; apiKey: string; apiSecret: string } | null {
  const { url, apiKey, apiSecret } = config.livekit;
  return url && apiKey && apiSecret ? { url, apiKey, apiSecret } : null;
}
