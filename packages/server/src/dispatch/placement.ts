import { type AgentStatus, handedOver, slotsTaken } from '../registry/agent-registry.ts';
import type { Candidate, PlacementPolicy, PlacementVerdict } from './policy/placement-policy.ts';
import { hasFreeSlot } from './policy/preference.ts';
import { innocent, type Suspicion } from './strikes.ts';
import { versionsMatch } from './version-match.ts';

export interface PlacementRequest {
  room: string;
  /** All workers that are heard. */
  agents: readonly AgentStatus[];
  /** Those that take rooms. */
  candidates: readonly Candidate[];
  /** Workers that come last: they hold the room already, or failed in it a moment ago. */
  isAvoided: (agentId: string) => boolean;
  /** The dispatcher's own version. */
  version: string;
  policy: PlacementPolicy;
}

/** The worker for a room, or the reason why nobody can take it. Pure. */
export function choosePlacement(request: PlacementRequest): PlacementVerdict {
  const { room, agents, candidates, isAvoided, version, policy } = request;
  if (agents.length === 0) return { agentId: null, reason: 'no agents' };
  if (candidates.length === 0) {
    // One that drains takes nothing any more, of whatever version it is.
    const staying = agents.filter(({ status }) => status !== 'draining');
    const relevant = staying.length === 0 ? agents : staying;
    const isOnlyVersion = relevant.every((agent) => !versionsMatch(version, agent.version));
    return { agentId: null, reason: isOnlyVersion ? 'worker version' : 'no agent ready' };
  }
  const preferred = policy(
    room,
    candidates.filter(({ agentId }) => !isAvoided(agentId)),
  );
  return preferred.agentId === null ? policy(room, candidates) : preferred;
}

/**
 * Workers that may serve a room while some rooms are suspected of killing theirs. One that comes out of quarantine gets
 * a worker without any other room, and nobody joins it there; rooms with strikes are kept apart where there are workers
 * enough. Pure.
 * @param suspicions those of the rooms that have any, by room
 */
export function keepApart(
  room: string,
  candidates: readonly Candidate[],
  suspicions: ReadonlyMap<string, Pick<Suspicion, 'strikes' | 'alone'>>,
): readonly Candidate[] {
  const { strikes, alone } = suspicions.get(room) ?? innocent;
  if (alone) return candidates.filter(({ used }) => used === 0);
  const others = [...suspicions].filter(([other, suspicion]) => other !== room && suspicion.strikes > 0);
  if (others.length === 0) return candidates;
  const onTrial = new Set(others.filter(([, suspicion]) => suspicion.alone).map(([other]) => other));
  const open = candidates.filter((one) => !one.rooms.some((other) => onTrial.has(other)));
  if (strikes === 0) return open;
  const struck = new Set(others.map(([other]) => other));
  const apart = open.filter((one) => hasFreeSlot(one) && !one.rooms.some((other) => struck.has(other)));
  return apart.length > 0 ? apart : open;
}

/**
 * Workers of another version take no rooms, and their status says why. So does that of one which drains and counts on
 * such workers: it knows only that they have slots. Pure.
 */
export function markVersions(agents: readonly AgentStatus[], version: string): AgentStatus[] {
  const marked = agents.map((agent) => markVersion(agent, version));
  const hasSlot = (agent: AgentStatus) => agent.status === 'ready' && slotsTaken(agent) < agent.slots;
  if (marked.some(hasSlot)) return marked;
  const isMistaken = ({ status, reason }: AgentStatus) => status === 'draining' && reason === handedOver;
  return marked.map((agent) => (isMistaken(agent) ? { ...agent, reason: 'worker version' } : agent));
}

function markVersion(agent: AgentStatus, version: string): AgentStatus {
  if (versionsMatch(version, agent.version)) return agent;
  const status = agent.status === 'draining' ? 'draining' : 'refusing';
  return { ...agent, status, reason: 'worker version' };
}
