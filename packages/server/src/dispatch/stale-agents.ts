import { agentName, epochAttribute, type LiveParticipant } from './room-directory.ts';

/** Identities of our own agents in a room that belong to an older epoch. Agents of others are never among them. */
export function staleAgents(participants: readonly LiveParticipant[], epoch: number): string[] {
  return participants
    .filter((participant) => participant.kind === 'agent' && participant.name === agentName)
    .filter((participant) => {
      const theirs = epochOf(participant);
      return theirs !== null && theirs < epoch;
    })
    .map((participant) => participant.identity);
}

/** From the attribute, or from the identity of an agent that died before it could set it. */
function epochOf({ identity, attributes }: LiveParticipant): number | null {
  const text = attributes[epochAttribute] ?? /^agent-.+-(\d+)$/.exec(identity)?.[1];
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
