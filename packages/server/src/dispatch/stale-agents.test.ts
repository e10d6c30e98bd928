import { expect, it } from 'vitest';
import { agentName, type LiveParticipant } from './room-directory.ts';
import { staleAgents } from './stale-agents.ts';

const agent = (identity: string, change: Partial<LiveParticipant> = {}): LiveParticipant => ({
  identity,
  name: agentName,
  kind: 'agent',
  attributes: {},
  hasAudio: false,
  ...change,
});

it('finds older agents of ours by attribute or identity, and nobody else', () => {
  const inside = [
    agent('agent-w-1'),
    agent('agent-w-9', { attributes: { 'dialoglens.epoch': '2' } }),
    agent('agent-w-3'),
    agent('agent-theirs-1', { name: 'Some bot' }),
    agent('agent-human-1', { kind: 'standard' }),
    agent('odd', { attributes: { 'dialoglens.epoch': 'one' } }),
  ];
  expect(staleAgents(inside, 3, 'w')).toEqual(['agent-w-1', 'agent-w-9']);
});

it('finds a successor that was not the one to follow, never one that is yet to', () => {
  const inside = [agent('agent-w-3'), agent('agent-lost-3'), agent('agent-next-4')];
  expect(staleAgents(inside, 3, 'w')).toEqual(['agent-lost-3']);
});
