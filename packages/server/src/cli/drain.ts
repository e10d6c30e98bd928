import { drainAnswerSchema } from '@dialoglens/protocol';
import type { Command } from 'commander';
import pc from 'picocolors';
import { ApiClient, targetOf, withTarget } from './api-client.ts';
import { readSettings, withSettings } from './options.ts';
import { sanitise } from './sanitise.ts';

/** `dialoglens drain`: empties a worker. */
export function addDrain(program: Command): void {
  const command = withTarget(program.command('drain <agent>'))
    .description('empty a worker: it takes no more rooms, hands over those it has, and ends')
    .addHelpText(
      'after',
      '\nNobody loses a word: each room has its new worker before the old one leaves. A room that finds no free slot\n' +
        'elsewhere stays until the deadline of the worker (agent.drainDeadlineMs).\n\nExamples:\n' +
        '  $ dialoglens agents\n  $ dialoglens drain agt_…\n  $ dialoglens agents --watch',
    );
  withSettings(command, []).action(async (agentId: string) => {
    const api = new ApiClient(targetOf(command, readSettings(command, { role: 'client' }).config));
    const answer = await api.post(`/api/agents/${encodeURIComponent(agentId)}/drain`, drainAnswerSchema);
    const rooms = answer.rooms === 1 ? '1 room' : `${answer.rooms} rooms`;
    console.log(`${pc.green('✓')} ${sanitise(answer.agentId)} drains; ${rooms} to hand over.`);
    console.log(pc.dim('  `dialoglens agents --watch` shows when it is gone.'));
  });
}
