import type { DemandSettings, SessionView } from '@dialoglens/protocol';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getJson, postJson, roomApi } from '../../lib/api.ts';
import type { Page } from '../../lib/paged.ts';

/** How often the list of sessions is looked at. */
const refreshMs = 10_000;
const recentSessions = 8;

/** The newest sessions. */
export function useRecentSessions() {
  return useQuery({
    queryKey: ['sessions', 'recent'],
    queryFn: ({ signal }) => getJson<Page<SessionView>>(`/api/sessions?limit=${recentSessions}`, signal),
    refetchInterval: refreshMs,
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
