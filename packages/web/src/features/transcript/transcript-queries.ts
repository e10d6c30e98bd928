import type { CoverageView, Segment, SessionView } from '@dialoglens/protocol';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { getJson, sessionApi } from '../../lib/api.ts';
import type { Page } from '../../lib/paged.ts';

const pageSize = 500;
const runningEveryMs = 5_000;

/** One session; asked for again while it runs. */
export function useSession(id: string) {
  return useQuery({
    queryKey: ['session', id],
    queryFn: ({ signal }) => getJson<SessionView>(sessionApi(id), signal),
    refetchInterval: (query) => (query.state.data?.endedAt === null ? runningEveryMs : false),
  });
}

/** All finals of a session: the first page is there soon, the others follow by themselves. */
export function useSegments(id: string, isRunning: boolean) {
  const pages = useInfiniteQuery({
    queryKey: ['segments', id],
    queryFn: ({ pageParam, signal }) =>
      getJson<Page<Segment>>(
        sessionApi(
          id,
          `/segments?limit=${pageSize}${pageParam && `&cursor=${encodeURIComponent(pageParam)}`}`,
        ),
        signal,
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.next ?? undefined,
    refetchInterval: isRunning ? runningEveryMs : false,
  });
  const { data, error, hasNextPage, isFetching, fetchNextPage, refetch } = pages;
  useEffect(() => {
    if (hasNextPage && !isFetching && error === null) void fetchNextPage();
  }, [hasNextPage, isFetching, error, fetchNextPage]);
  const segments = useMemo(() => data?.pages.flatMap((page) => page.items), [data]);
  return { segments, error, isPartial: hasNextPage, retry: () => void refetch() };
}

/** What became of the audio of a session. */
export function useCoverage(id: string, isRunning: boolean) {
  return useQuery({
    queryKey: ['coverage', id],
    queryFn: ({ signal }) => getJson<CoverageView>(sessionApi(id, '/coverage'), signal),
    refetchInterval: isRunning ? runningEveryMs : false,
  });
}
