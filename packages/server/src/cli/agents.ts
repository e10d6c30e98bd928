import { agentViewSchema } from '@dialoglens/protocol';
import type { Command } from 'commander';
import pc from 'picocolors';
import { ApiClient, targetOf, withTarget } from './api-client.ts';
import { type AgentView, agentColumns } from './live-tables.ts';
import { readSettings, withSettings } from './options.ts';
import { type PictureOptions, showPicture } from './picture-command.ts';
import { tableLines } from './table.ts';

/** `dialoglens agents`: the workers and what they carry. */
export function addAgents(program: Command): void {
  const command = withTarget(program.command('agents'))
    .description('list the workers, their rooms and their load, as a running DialogLens sees them')
    .option('-w, --watch', 'show changes until Ctrl-C')
    .option('--json', 'print JSON; with --watch a line for each change')
    .addHelpText(
      'after',
      '\nExamples:\n  $ dialoglens agents\n  $ dialoglens agents --watch\n' +
        '  $ dialoglens agents --url https://captions.example.com --key …',
    );
  withSettings(command, []).action(async () => {
    const api = new ApiClient(targetOf(command, readSettings(command, { role: 'client' }).config));
    await showPicture(
      command.opts<PictureOptions>(),
      () => api.list('/api/agents', agentViewSchema),
      agentLines,
    );
  });
}

/** The table, or what to do when it would be empty. */
export function agentLines(agents: readonly AgentView[], width: number): string[] {
  if (agents.length > 0) return tableLines(agentColumns(Date.now()), agents, width);
  return [
    'No worker is heard now.',
    pc.dim(
      'Start one with `dialoglens agent`, or let a dispatcher do it: `dialoglens dispatcher --pool local`.',
    ),
  ];
}
