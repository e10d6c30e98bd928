import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { wholeTranscript } from '../api/whole-transcript.ts';
import { allFormats } from '../app/documents/document-formats.ts';
import { openConfiguredStore } from '../app/open-store.ts';
import type { Config } from '../config/index.ts';
import { asError, DialogLensError } from '../errors.ts';
import type { Session, Store } from '../store/store.ts';
import { type FormatName, formatFor, formatNames, refuseTerminal } from './formats.ts';
import { readSettings, withSettings } from './options.ts';

/** `dialoglens export`: a transcript as a file, or the list of sessions. */
export function addExport(program: Command): void {
  const command = program
    .command('export [session]')
    .description('write a transcript to a file; without a session, list the latest ones')
    .addOption(new Option('-f, --format <format>', 'txt unless --out ends in another').choices(formatNames))
    .option('-o, --out <file>', 'file to write; the terminal when left out')
    .addHelpText(
      'after',
      '\nThe store in a data folder belongs to one process: while `dialoglens start` runs, use\n' +
        'GET /api/sessions/{id}/export instead.\n\nExamples:\n' +
        '  $ dialoglens export\n  $ dialoglens export ses_… --out meeting.srt',
    );
  withSettings(command, ['dataDir']).action(async (sessionId: string | undefined) => {
    const { config } = readSettings(command);
    const { format: asked, out } = command.opts<{ format?: FormatName; out?: string }>();
    const format = formatFor(asked, out);
    if (!(await hasStore(config))) {
      if (sessionId !== undefined) throw noSession(sessionId);
      return console.log(nothingYet);
    }
    if (out === undefined && sessionId !== undefined) refuseTerminal(format);
    const store = openConfiguredStore(config);
    try {
      await store.start();
      if (sessionId === undefined) return await list(store);
      const text = await render(store, sessionId, format);
      if (out === undefined) process.stdout.write(text);
      else {
        await write(out, text);
        console.log(`Wrote ${out}`);
      }
    } finally {
      await store.stop();
    }
  });
}

const nothingYet = 'No transcripts yet. `dialoglens start` makes the first one.';

/** Looking at a folder in which nothing was stored must not make a store there. */
async function hasStore({ databaseUrl, dataDir }: Config): Promise<boolean> {
  if (databaseUrl !== undefined) return true;
  return access(join(dataDir, 'store')).then(
    () => true,
    () => false,
  );
}

function noSession(sessionId: string): DialogLensError {
  return new DialogLensError('not_found', `There is no session ${sessionId}.`, {
    field: 'session',
    remedy: '`dialoglens export` without a session lists them.',
  });
}

async function write(file: string, text: string | Uint8Array): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (thrown) {
    const error = asError(thrown);
    const why = 'code' in error ? error.code : error.message;
    throw new DialogLensError('invalid_request', `The file ${file} cannot be written (${why}).`, {
      field: 'out',
      remedy: 'Name a file in a folder that exists and that this user may write.',
      cause: thrown,
    });
  }
}

async function list(store: Store): Promise<void> {
  const { items } = await store.record.listSessions({ limit: 50 });
  if (items.length === 0) {
    console.log(nothingYet);
    return;
  }
  for (const session of items) {
    const began = new Date(session.startedAt).toISOString().slice(0, 16).replace('T', ' ');
    console.log(`${session.id}  ${began}  ${session.endedAt === null ? 'live ' : 'ended'}  ${session.room}`);
  }
}

async function render(store: Store, sessionId: string, format: FormatName): Promise<string | Uint8Array> {
  const session: Session | null = await store.record.getSession(sessionId);
  if (!session) throw noSession(sessionId);
  return allFormats[format].write(await wholeTranscript(store.record, session));
}
