import type { Clock } from '../clock.ts';
import type { Assignment } from '../registry/agent-registry.ts';
import type { Demand, Session, Store } from '../store/store.ts';
import { agentSettings } from './agent-settings.ts';
import type { DispatcherSettings } from './dispatcher-settings.ts';
import type { Reachability } from './reachability.ts';
import type { LiveRoom, RoomDirectory } from './room-directory.ts';

/** The order for a worker to serve a room, or to stand by in it: where to go, with which token, and how to listen. */
export async function makeAssignment(
  deps: { directory: RoomDirectory; settings: DispatcherSettings },
  order: {
    live: LiveRoom;
    demand: Demand;
    agentId: string;
    epoch: number;
    sessionId: string;
    standby: boolean;
  },
): Promise<Assignment> {
  const { live, demand, agentId, epoch, sessionId, standby } = order;
  const token = await deps.directory.mintAgentToken({ room: live.name, workerId: agentId, epoch });
  const settings = agentSettings(demand, deps.settings);
  const { url } = deps.settings;
  return { room: live.name, roomSid: live.sid, epoch, sessionId, url, token, settings, standby };
}

/** The session of a room incarnation, as its wish wants it. */
export function openSession(
  deps: { store: Pick<Store, 'record'>; reach: Reachability; clock: Clock; settings: DispatcherSettings },
  { name: room, sid: roomSid }: LiveRoom,
  demand: Demand,
): Promise<Session> {
  const { store, reach, clock, settings } = deps;
  const language = demand.settings.language ?? settings.language;
  const provider = demand.settings.provider ?? settings.provider;
  const startedAt = clock.nowMs();
  return reach.store(() => store.record.openSession({ room, roomSid, language, provider, startedAt }));
}
