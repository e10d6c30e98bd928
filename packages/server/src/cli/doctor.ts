import type { Command } from 'commander';
import pc from 'picocolors';
import type { Finding } from '../app/finding.ts';
import { asError, DialogLensError } from '../errors.ts';
import { checksFor } from './doctor-checks.ts';
import { readSettings, withSettings } from './options.ts';
import { findRunning } from './running-instance.ts';

const marks = { ok: pc.green('✓'), note: pc.yellow('!'), wrong: pc.red('✗') };

/** `dialoglens doctor`: one line per thing that must be right, and the remedy for each that is not. */
export function addDoctor(program: Command): void {
  const command = program
    .command('doctor')
    .description('check LiveKit, keys, clock, webhooks, store, models, native modules and ports')
    .addHelpText(
      'after',
      '\n✓ is well, ! works but could be better, ✗ is wrong; with any ✗ the exit code is 1.\n' +
        'Run it before `dialoglens start`, or beside one to see how that one is doing.\n\nExamples:\n' +
        '  $ dialoglens doctor\n' +
        '  $ LIVEKIT_URL=wss://… LIVEKIT_API_KEY=… LIVEKIT_API_SECRET=… dialoglens doctor',
    );
  withSettings(command).action(async () => {
    const { config } = readSettings(command);
    const running = await findRunning(config);
    const checks = checksFor(config);
    const nameColumns = Math.max(...checks.map(([name]) => name.length));
    for (const [name, check] of checks) {
      const { state, text, remedy } = await check({ config, running }).catch(fromError);
      console.log(`${marks[state]} ${name.padEnd(nameColumns)} ${text}`);
      if (remedy) console.log(`  ${''.padEnd(nameColumns)} ${pc.dim(remedy)}`);
      if (state === 'wrong') process.exitCode = 1;
    }
  });
}

function fromError(thrown: unknown): Finding {
  const error = asError(thrown);
  const remedy = error instanceof DialogLensError ? error.remedy : undefined;
  return { state: 'wrong', text: error.message, ...(remedy && { remedy }) };
}
