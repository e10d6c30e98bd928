import type { CoverageView, RoomView } from '@dialoglens/protocol';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useReducer, useState } from 'react';
import { ApiError, getJson, roomApi, sessionApi } from '../../lib/api.ts';
import { type FollowState, followEvents } from '../../lib/follow-events.ts';
import { type Captions, noCaptions, takeEvent } from './caption-feed.ts';

const roomEveryMs = 2_000;
const coverageEveryMs = 10_000;

/** How a room stands; `data` is null when nobody asked for it. */
export function useRoom(room: string) {
  return useQuery({
    queryKey: ['rooms', room],
    queryFn: async ({ signal }): Promise<RoomView | null> => {
      try {
        return await getJson<RoomView>(roomApi(room), signal);
      } catch (thrown) {
        if (thrown instanceof ApiError && thrown.status === 404) return null;
        throw thrown;
      }
    },
    refetchInterval: roomEveryMs,
  });
}

/** The session to show: the room's, and the last one it had when it has none any more. */
export function useLastSession(sessionId: string | null): string | null {
  const [last, setLast] = useState(sessionId);
  if (sessionId !== null && sessionId !== last) setLast(sessionId);
  return sessionId ?? last;
}

type Change =
  Parameters<typeof takeEvent> extends [unknown, infer E, infer H] ? { event: E; isHistory: H } : never;
type Action = Change | 'anew';

function reduce(captions: Captions, action: Action): Captions {
  return action === 'anew' ? noCaptions : takeEvent(captions, action.event, action.isHistory);
}

/** The captions of a session as they are spoken, and how the connection stands. */
export function useCaptions(sessionId: string | null): { captions: Captions; link: FollowState } {
  const [captions, dispatch] = useReducer(reduce, noCaptions);
  const [link, setLink] = useState<FollowState>('connecting');
  useEffect(() => {
    dispatch('anew');
    setLink('connecting');
    if (sessionId === null) return undefined;
    return followEvents({
      url: sessionApi(sessionId, '/events'),
      // No event has this id: the server answers with what was said of late.
      lastEventId: 'beginning',
      onEvent: (event, isHistory) => dispatch({ event, isHistory }),
      onState: setLink,
    });
  }, [sessionId]);
  return { captions, link };
}

/** What could not be captioned in a session so far: the reason of the longest gap, and the length of all; null for nothing. */
export function useGaps(sessionId: string | null): { totalMs: number; reason: string } | null {
  const coverage = useQuery({
    queryKey: ['coverage', sessionId],
    queryFn: ({ signal }) => getJson<CoverageView>(sessionApi(sessionId ?? '', '/coverage'), signal),
    enabled: sessionId !== null,
    refetchInterval: coverageEveryMs,
  });
  const gaps = (coverage.data?.tracks ?? []).flatMap((track) => track.gaps);
  const longest = gaps.toSorted((a, b) => b.endMs - b.startMs - (a.endMs - a.startMs))[0];
  if (longest === undefined) return null;
  const totalMs = gaps.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  return { totalMs, reason: longest.reason };
}
