import type { Command } from 'commander';
import { checkModels, ensureModels, requireModels } from '../stt/providers/local/model-store.ts';
import { readSettings, withSettings } from './options.ts';
import { megabytes, type ProgressScreen, type Step, step } from './progress.ts';
import { endedBySignal, untilSignal } from './shutdown.ts';

/** `dialoglens models`: fetches, checks and repairs the files of the local speech engine. */
export function addModels(program: Command): void {
  const command = program
    .command('models')
    .description(
      'fetch and check the files of the local speech engine (about 92 MB on disk, 70 MB to download)',
    )
    .option('--repair', 'compare every file with its pinned SHA-256 and fetch what is damaged')
    .option('--list', 'only say which files are there')
    .addHelpText(
      'after',
      '\nExamples:\n  $ dialoglens models\n  $ dialoglens models --repair\n  $ dialoglens models --list',
    );
  withSettings(command, []).action(async () => {
    const { config } = readSettings(command);
    const { repair, list } = command.opts<{ repair?: boolean; list?: boolean }>();
    if (!list) {
      await endedBySignal(untilSignal(), (signal) =>
        fetchModels(config.cacheDir, { repair: repair ?? false, signal }),
      );
    }
    const states = await checkModels({ cacheDir: config.cacheDir, full: list ?? false });
    for (const { file, state, bytes } of states) {
      console.log(
        `${state === 'ok' ? '✓' : '✗'} ${file}  ${state === 'missing' ? 'missing' : megabytes(bytes)}`,
      );
    }
    if (states.some(({ state }) => state !== 'ok')) {
      console.log('Run `dialoglens models --repair` to fetch what is missing or damaged.');
      process.exitCode = 1;
    }
  });
}

/**
 * Fetches what is missing, with progress on the terminal, and proves every file: a damaged one could say anything.
 * @throws DialogLensError `model_damaged` naming the file, unless `repair` replaces it
 */
export async function fetchModels(
  cacheDir: string,
  { screen, ...options }: { repair?: boolean; signal?: AbortSignal; screen?: ProgressScreen } = {},
): Promise<void> {
  const states = await checkModels({ cacheDir, full: options.repair ?? false });
  const isComplete = states.every(({ state }) => state === 'ok');
  const title = isComplete ? 'Checking the speech model…' : 'Fetching the speech model (70 MB, once)…';
  const fetch = async ({ update }: Step) => {
    let shown = '';
    await ensureModels({
      cacheDir,
      ...options,
      onProgress: ({ step: name, bytes, totalBytes }) => {
        // Steps of ten keep a log without a terminal short.
        const percent = Math.floor((bytes / Math.max(1, totalBytes)) * 10) * 10;
        if (shown === `${name} ${percent}`) return;
        shown = `${name} ${percent}`;
        update(`${name}, ${megabytes(bytes)} of ${megabytes(totalBytes)}`);
      },
    });
    await requireModels(cacheDir, true);
  };
  await step(title, fetch, screen);
}
