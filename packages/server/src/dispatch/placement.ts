import type { AgentStatus } from '../registry/agent-registry.ts';
import type { Candidate, PlacementPolicy, PlacementVerdict } from './policy/placement-policy.ts';
import { hasFreeSlot } from './policy/preference.ts';
import type { Suspicion } from './strikes.ts';
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
    const isOnlyVersion = agents.every((agent) => !versionsMatch(version, agent.version));
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
 */
export function keepApart(
  room: string,
  candidates: readonly Candidate[],
  suspicionOf: (room: string) => Pick<Suspicion, 'strikes' | 'alone'>,
): Candidate[] {
  const own = suspicionOf(room);
  if (own.alone) return candidates.filter(({ used }) => used === 0);
  const others = (candidate: Candidate) => candidate.rooms.filter((other) => other !== room);
  const open = candidates.filter((one) => !others(one).some((other) => suspicionOf(other).alone));
  if (own.strikes === 0) return open;
  const apart = open.filter(
    (one) => hasFreeSlot(one) && !others(one).some((other) => suspicionOf(other).strikes > 0),
  );
  return apart.length > 0 ? apart : open;
}

/** A worker of another version takes no rooms, and its status says why. Pure. */
export function markVersion(agent: AgentStatus, version: string): AgentStatus {
  if (versionsMatch(version, agent.version)) return agent;
  const status = agent.status === 'draining' ? 'draining' : 'refusing';
  return { ...agent, status, reason: 'worker version' };
}
