import type { DemandSettings, RoomView, SessionView } from '@dialoglens/protocol';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getJson, postJson, roomApi } from '../../lib/api.ts';
import type { Page } from '../../lib/paged.ts';

/** How often the pages look at what changes by itself. */
const refreshMs = 2_000;
const recentSessions = 8;
const mostRooms = 500;

/** Every room that is wanted or transcribed, kept fresh while the page is looked at. */
export function useRooms() {
  return useQuery({
    queryKey: ['rooms'],
    queryFn: ({ signal }) => getJson<Page<RoomView>>(`/api/rooms?limit=${mostRooms}`, signal),
    refetchInterval: refreshMs,
  });
}

/** The newest sessions. */
export function useRecentSessions() {
  return useQuery({
    queryKey: ['sessions', 'recent'],
    queryFn: ({ signal }) => getJson<Page<SessionView>>(`/api/sessions?limit=${recentSessions}`, signal),
    refetchInterval: refreshMs * 5,
  });
}

export function useStart() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ room, settings }: { room: string; settings: DemandSettings }) =>
      postJson(roomApi(room, '/start-transcription'), settings),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['rooms'] }),
  });
}

export function useStop() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (room: string) => postJson(roomApi(room, '/stop-transcription')),
    onSuccess: () => queries.invalidateQueries(),
  });
}
