import type { MeasuresView, MoveView } from '@dialoglens/protocol';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getJson, postJson, roomApi } from '../../lib/api.ts';
import type { Page } from '../../lib/paged.ts';

const movesPerPage = 20;
const movesEveryMs = 3_000;
/** Processes tell what they measured every ten seconds. */
const measuresEveryMs = 10_000;
/** Minutes that the charts show. */
export const shownMinutes = 60;

/** How rooms went from worker to worker, the newest first. */
export function useMoves() {
  return useInfiniteQuery({
    queryKey: ['moves'],
    queryFn: ({ pageParam, signal }) => {
      const cursor = pageParam === '' ? '' : `&cursor=${encodeURIComponent(pageParam)}`;
      return getJson<Page<MoveView>>(`/api/moves?limit=${movesPerPage}${cursor}`, signal);
    },
    initialPageParam: '',
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: movesEveryMs,
  });
}

export function useMeasures() {
  return useQuery({
    queryKey: ['measures'],
    queryFn: ({ signal }) => getJson<MeasuresView>(`/api/measures?minutes=${shownMinutes}`, signal),
    refetchInterval: measuresEveryMs,
  });
}

export function useDrain() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (agentId: string) => postJson(`/api/agents/${encodeURIComponent(agentId)}/drain`),
    onSuccess: () => queries.invalidateQueries(),
  });
}

export function usePriority() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ room, priority }: { room: string; priority: number }) =>
      postJson(roomApi(room, '/priority'), { priority }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['rooms'] }),
  });
}
