import { removePersonAnswerSchema } from '@dialoglens/protocol';
import type { Command } from 'commander';
import pc from 'picocolors';
import { DialogLensError } from '../errors.ts';
import { ApiClient, targetOf, withTarget } from './api-client.ts';
import { readSettings, withSettings } from './options.ts';

/** `dialoglens remove-person`: takes one person out of every transcript. */
export function addRemovePerson(program: Command): void {
  const command = withTarget(program.command('remove-person <identity>'))
    .description('remove what one person said from every transcript, for good')
    .option('--yes', 'do it; it cannot be undone')
    .addHelpText(
      'after',
      '\nWords, corrections, translations, name and identity go; what others said stays, and so does how long the person\n' +
        'spoke. Files exported before and backups of the database are not reached. The identity is the one in LiveKit, as\n' +
        'the page of a transcript and GET /api/sessions/{id}/speakers show it. Takes the key of an admin.\n\n' +
        'Example:\n  $ dialoglens remove-person ada@example.org --yes',
    );
  withSettings(command, []).action(async (identity: string) => {
    const { config } = readSettings(command, { role: 'client' });
    if (!command.opts<{ yes?: boolean }>().yes) throw notConfirmed();
    const api = new ApiClient(targetOf(command, config));
    const { segments, sessions } = await api.delete(
      `/api/people/${encodeURIComponent(identity)}`,
      removePersonAnswerSchema,
    );
    const from = sessions === 1 ? '1 transcript' : `${sessions} transcripts`;
    console.log(`${pc.green('✓')} Removed from ${from}; segments deleted: ${segments}.`);
  });
}

function notConfirmed(): DialogLensError {
  return new DialogLensError('invalid_request', 'What is removed cannot be brought back.', {
    field: '--yes',
    remedy: 'Give --yes to remove the person from every transcript.',
  });
}
