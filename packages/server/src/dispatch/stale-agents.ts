import { agentIdentity, agentName, epochAttribute, type LiveParticipant } from './room-directory.ts';

/**
 * Identities of our own agents in a room that belong to an older epoch, or that were to follow under this one and are
 * not the one that did. Agents of others are never among them.
 */
export function staleAgents(
  participants: readonly LiveParticipant[],
  epoch: number,
  holder: string,
): string[] {
  return participants
    .filter((participant) => participant.kind === 'agent' && participant.name === agentName)
    .filter((participant) => {
      const theirs = epochOf(participant);
      if (theirs === null || theirs > epoch) return false;
      return theirs < epoch || participant.identity !== agentIdentity(holder, epoch);
    })
    .map((participant) => participant.identity);
}

/** From the attribute, or from the identity of an agent that died before it could set it. */
function epochOf({ identity, attributes }: LiveParticipant): number | null {
  const text = attributes[epochAttribute] ?? /^agent-.+-(\d+)$/.exec(identity)?.[1];
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
