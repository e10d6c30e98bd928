import type {
  CoverageView,
  RemovePersonAnswer,
  Segment,
  SessionSpeaker,
  SessionView,
} from '@dialoglens/protocol';
import {
  type InfiniteData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { useEffect, useMemo, useRef } from 'react';
import { deleteJson, getJson, patchJson, postJson, sessionApi } from '../../lib/api.ts';
import type { Page } from '../../lib/paged.ts';

const pageSize = 500;
const runningEveryMs = 5_000;
/** What was said last may be written this long after the end of a session. */
const settlesWithinMs = 60_000;
/** Others may correct what is over; the session says when. */
const overEveryMs = 15_000;

/** One session; asked for again, for others may go on with it or correct it. */
export function useSession(id: string) {
  return useQuery({
    queryKey: ['session', id],
    queryFn: ({ signal }) => getJson<SessionView>(sessionApi(id), signal),
    refetchInterval: (query) => (query.state.data?.endedAt === null ? runningEveryMs : overEveryMs),
  });
}

/** How often to read what may still grow; false when it has settled. The clocks of server and reader may differ. */
function untilSettledMs(endedAt: number | null): number | false {
  const isSettled = endedAt !== null && Math.abs(Date.now() - endedAt) > settlesWithinMs;
  return isSettled ? false : runningEveryMs;
}

/**
 * All finals of a session: the first page is there soon, the others follow by themselves. `changes` of the session tells
 * that what was read before is no longer what stands.
 */
export function useSegments({ id, endedAt, changes }: Pick<SessionView, 'id' | 'endedAt' | 'changes'>) {
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
    refetchInterval: () => untilSettledMs(endedAt),
  });
  const { data, error, hasNextPage, isFetching, fetchNextPage, refetch } = pages;
  useEffect(() => {
    if (hasNextPage && !isFetching && error === null) void fetchNextPage();
  }, [hasNextPage, isFetching, error, fetchNextPage]);
  const readAt = useRef(changes);
  useEffect(() => {
    if (readAt.current === changes) return;
    readAt.current = changes;
    void refetch();
  }, [changes, refetch]);
  const segments = useMemo(() => data?.pages.flatMap((page) => page.items), [data]);
  return { segments, error, isPartial: hasNextPage, retry: () => void refetch() };
}

/** What became of the audio of a session. */
export function useCoverage({ id, endedAt }: Pick<SessionView, 'id' | 'endedAt'>) {
  return useQuery({
    queryKey: ['coverage', id],
    queryFn: ({ signal }) => getJson<CoverageView>(sessionApi(id, '/coverage'), signal),
    refetchInterval: () => untilSettledMs(endedAt),
  });
}

/** Everybody who was heard in a session. Asked for when somebody wants to correct a name. */
export function useSpeakers(id: string, enabled: boolean) {
  return useQuery({
    queryKey: ['speakers', id],
    queryFn: ({ signal }) => getJson<{ items: SessionSpeaker[] }>(sessionApi(id, '/speakers'), signal),
    enabled,
    staleTime: 0,
  });
}

/** Corrects the text of a segment, or takes the last correction back where there is no text. */
export function useCorrection({ id, sessionId, revision }: Segment) {
  const client = useQueryClient();
  const path = sessionApi(sessionId, `/segments/${encodeURIComponent(id)}`);
  return useMutation({
    mutationFn: (text: string | null) =>
      text === null
        ? postJson<Segment>(`${path}/undo`, { revision })
        : patchJson<Segment>(path, { text, revision }),
    onSuccess: (changed) => {
      client.setQueryData<InfiniteData<Page<Segment>>>(['segments', sessionId], (known) =>
        withSegment(known, changed),
      );
    },
    // Somebody else was faster: what stands now has to be seen.
    onError: () => client.invalidateQueries({ queryKey: ['segments', sessionId] }),
  });
}

function withSegment(known: InfiniteData<Page<Segment>> | undefined, changed: Segment) {
  if (known === undefined) return known;
  const replaced = (items: Segment[]) => items.map((one) => (one.id === changed.id ? changed : one));
  return { ...known, pages: known.pages.map((page) => ({ ...page, items: replaced(page.items) })) };
}

/** Corrects what a speaker is called, or takes the last correction back where there is no name. */
export function useRename(sessionId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ speaker, name }: { speaker: SessionSpeaker; name: string | null }) => {
      const path = sessionApi(sessionId, `/speakers/${encodeURIComponent(speaker.identity)}`);
      const { revision } = speaker;
      return name === null
        ? postJson<SessionSpeaker>(`${path}/undo`, { revision })
        : patchJson<SessionSpeaker>(path, { name, revision });
    },
    onSettled: () =>
      Promise.all(
        ['segments', 'coverage', 'speakers'].map((key) =>
          client.invalidateQueries({ queryKey: [key, sessionId] }),
        ),
      ),
  });
}

/** Deletes a session for good. */
export function useDeletion(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => deleteJson<{ segments: number }>(sessionApi(id)),
    onSuccess: () => {
      for (const key of ['session', 'segments', 'coverage', 'speakers']) {
        client.removeQueries({ queryKey: [key, id] });
      }
      return client.invalidateQueries({ queryKey: ['sessions'] });
    },
  });
}

/** Removes one person from every session for good. What was read before is out of date then. */
export function usePersonRemoval(identity: string) {
  return useMutation({
    mutationFn: () => deleteJson<RemovePersonAnswer>(`/api/people/${encodeURIComponent(identity)}`),
  });
}
