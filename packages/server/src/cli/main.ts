import { Command } from 'commander';
import { version } from '../app/version.ts';
import { addAgent } from './agent.ts';
import { addAgents } from './agents.ts';
import { addCluster } from './cluster.ts';
import { addConfig } from './config.ts';
import { addDemo } from './demo.ts';
import { addDispatcher } from './dispatcher.ts';
import { addDoctor } from './doctor.ts';
import { addDrain } from './drain.ts';
import { addExport } from './export.ts';
import { fail } from './fail.ts';
import { addKeys } from './keys.ts';
import { addMigrate } from './migrate.ts';
import { addModels } from './models.ts';
import { addProviders } from './providers.ts';
import { addRemovePerson } from './remove-person.ts';
import { addRooms } from './rooms.ts';
import { addStart } from './start.ts';
import { addToken } from './token.ts';
import { addTranscribe } from './transcribe.ts';

const program = new Command('dialoglens')
  .description('Live transcription for LiveKit rooms: agents, captions and a complete transcript.')
  .version(version)
  .showHelpAfterError('(--help shows what there is)')
  .addHelpText(
    'after',
    '\nExamples:\n  $ dialoglens start            everything on this machine, with a sample meeting\n' +
      '  $ dialoglens doctor           what is missing or wrong, and what to do about it\n' +
      '  $ dialoglens export           the latest transcripts',
  );

const commands = [
  addStart,
  addDemo,
  addDispatcher,
  addAgent,
  addCluster,
  addRooms,
  addAgents,
  addDrain,
  addDoctor,
  addModels,
  addKeys,
  addMigrate,
  addExport,
  addRemovePerson,
  addTranscribe,
  addProviders,
  addToken,
  addConfig,
];
for (const add of commands) add(program);

// Whoever reads our output, such as `head`, may have seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

await program.parseAsync().catch(fail);
