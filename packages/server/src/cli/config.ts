import type { Command } from 'commander';
import { describeConfig } from '../config/index.ts';
import { readSettings, withSettings } from './options.ts';

/** `dialoglens config`: what is in force and where it came from. */
export function addConfig(program: Command): void {
  const command = program
    .command('config')
    .description('print the settings in force, with where each came from; secrets are masked')
    .addHelpText('after', '\nExample:\n  $ dialoglens config --config dialoglens.yaml');
  withSettings(command).action(() => {
    process.stdout.write(describeConfig(readSettings(command)));
  });
}
