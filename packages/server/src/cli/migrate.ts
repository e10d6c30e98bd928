import type { Command } from 'commander';
import { prepareDataFolder } from '../app/data-folder.ts';
import { openConfiguredStore } from '../app/open-store.ts';
import { readSettings, withSettings } from './options.ts';

/** `dialoglens migrate`: brings the database to this version. `start` does the same by itself. */
export function addMigrate(program: Command): void {
  const command = program
    .command('migrate')
    .description('bring the database to the version of this program (start does so by itself)')
    .addHelpText('after', '\nExample:\n  $ DATABASE_URL=postgres://… dialoglens migrate');
  withSettings(command, ['dataDir']).action(async () => {
    const { config } = readSettings(command);
    await prepareDataFolder(config.dataDir);
    const store = openConfiguredStore(config);
    try {
      await store.start();
      await store.ping();
      console.log(
        `The ${store.kind === 'pglite' ? `store in ${config.dataDir}` : 'database'} is up to date.`,
      );
    } finally {
      await store.stop();
    }
  });
}
