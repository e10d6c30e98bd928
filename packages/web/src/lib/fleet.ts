import type { AgentView, CapacityView, FleetEvent, RoomView, TranscriptState } from '@dialoglens/protocol';
import { type QueryClient, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { getJson } from './api.ts';
import { followEvents } from './follow-events.ts';
import type { Page } from './paged.ts';

const mostRooms = 500;
/** While the stream of the fleet is open it is asked seldom, only to set right what may have been missed. */
const askSeldomMs = 15_000;
const askOftenMs = 2_000;
/** No server gives out this id: the stream begins with a `resync`. */
const unknownId = '0';

const keys = { rooms: ['rooms'], agents: ['agents'], capacity: ['capacity'] } as const;

interface Agents {
  items: AgentView[];
}

/** Whether the fleet is followed live. */
export interface FleetLink {
  isLive: boolean;
}

/**
 * Keeps rooms, workers and capacity as the server has them while the page is looked at. A page in the background lets go
 * of its stream: browsers allow only a few connections to one server.
 */
export function useFleet(): FleetLink {
  const queries = useQueryClient();
  const isVisible = useSyncExternalStore(onVisibility, () => document.visibilityState === 'visible');
  const [state, setState] = useState<TranscriptState>('connecting');
  useEffect(() => {
    if (!isVisible) return;
    const stop = followEvents<FleetEvent>({
      path: 'api/events',
      lastEventId: unknownId,
      onEvent: (event) => applyEvent(queries, event),
      onState: setState,
    });
    return () => {
      stop();
      setState('connecting');
    };
  }, [queries, isVisible]);
  return { isLive: state === 'open' };
}

function onVisibility(listener: () => void): () => void {
  document.addEventListener('visibilitychange', listener);
  return () => document.removeEventListener('visibilitychange', listener);
}

/** Brings what is known up to date with one event. */
export function applyEvent(queries: QueryClient, event: FleetEvent): void {
  switch (event.type) {
    case 'room':
      return updateRooms(queries, (rooms) => withItem(rooms, event.room, ({ room }) => room));
    case 'room-gone':
      return updateRooms(queries, (rooms) => rooms.filter(({ room }) => room !== event.room));
    case 'agent':
      return updateAgents(queries, (agents) => withItem(agents, event.agent, ({ agentId }) => agentId));
    case 'agent-gone':
      return updateAgents(queries, (agents) => agents.filter(({ agentId }) => agentId !== event.agentId));
    case 'capacity':
      return void queries.setQueryData<CapacityView>(keys.capacity, event.capacity);
    case 'resync':
      for (const queryKey of Object.values(keys)) void queries.invalidateQueries({ queryKey });
  }
}

function updateRooms(queries: QueryClient, change: (rooms: RoomView[]) => RoomView[]): void {
  queries.setQueryData<Page<RoomView>>(keys.rooms, (page) => page && { ...page, items: change(page.items) });
}

function updateAgents(queries: QueryClient, change: (agents: AgentView[]) => AgentView[]): void {
  queries.setQueryData<Agents>(keys.agents, (agents) => agents && { items: change(agents.items) });
}

/** The list with the item in the place of the one of the same name, or at the end. */
function withItem<T>(items: readonly T[], item: T, nameOf: (item: T) => string): T[] {
  const at = items.findIndex((known) => nameOf(known) === nameOf(item));
  return at < 0 ? [...items, item] : items.with(at, item);
}

/** Every room that is wanted or transcribed. */
export function useRooms({ isLive }: FleetLink) {
  return useQuery({
    queryKey: keys.rooms,
    queryFn: ({ signal }) => getJson<Page<RoomView>>(`/api/rooms?limit=${mostRooms}`, signal),
    refetchInterval: isLive ? askSeldomMs : askOftenMs,
  });
}

/** The workers that are heard. */
export function useAgents({ isLive }: FleetLink) {
  return useQuery({
    queryKey: keys.agents,
    queryFn: ({ signal }) => getJson<Agents>('/api/agents', signal),
    refetchInterval: isLive ? askSeldomMs : askOftenMs,
  });
}

export function useCapacity({ isLive }: FleetLink) {
  return useQuery({
    queryKey: keys.capacity,
    queryFn: ({ signal }) => getJson<CapacityView>('/api/capacity', signal),
    refetchInterval: isLive ? askSeldomMs : askOftenMs,
  });
}
