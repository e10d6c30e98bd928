import {
  type CoverageView,
  connectTranscript,
  type Gaps,
  gapsOf,
  type RoomView,
  type TranscriptEvents,
  type TranscriptState,
} from '@dialoglens/protocol';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useReducer, useState } from 'react';
import { ApiError, getJson, roomApi, sessionApi } from '../../lib/api.ts';
import { tellOthers } from '../../lib/follow-events.ts';
import { type Captions, noCaptions, takeEvent } from './caption-feed.ts';
import { type CaptionLatency, LatencyMeter } from './caption-latency.ts';

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

type Action = TranscriptEvents['event'] | 'anew';

function reduce(captions: Captions, action: Action): Captions {
  return action === 'anew' ? noCaptions : takeEvent(captions, action.event, action.isHistory);
}

/** The captions of a session as they are spoken, how the connection stands, and how far they are behind. */
export function useCaptions(sessionId: string | null): {
  captions: Captions;
  link: TranscriptState;
  latency: CaptionLatency | null;
} {
  const [captions, dispatch] = useReducer(reduce, noCaptions);
  const [latency, setLatency] = useState<CaptionLatency | null>(null);
  const [link, setLink] = useState<TranscriptState>('connecting');
  useEffect(() => {
    dispatch('anew');
    setLink('connecting');
    setLatency(null);
    if (sessionId === null) return undefined;
    const connection = connectTranscript(location.origin, null, { sessionId });
    const meter = new LatencyMeter();
    connection.on('event', (news) => {
      dispatch(news);
      if (news.event.type !== 'segment' || !news.event.timing) return;
      meter.take(news.event.timing, news.event.segment.isFinal, Date.now());
      setLatency(meter.latency);
    });
    connection.on('state', ({ state, error }) => {
      setLink(state);
      tellOthers(state, error);
    });
    return connection.close;
  }, [sessionId]);
  return { captions, link, latency };
}

/** What could not be captioned in a session so far; null for nothing. */
export function useGaps(sessionId: string | null): Gaps | null {
  const coverage = useQuery({
    queryKey: ['coverage', sessionId],
    queryFn: ({ signal }) => getJson<CoverageView>(sessionApi(sessionId ?? '', '/coverage'), signal),
    enabled: sessionId !== null,
    refetchInterval: coverageEveryMs,
  });
  return coverage.data ? gapsOf(coverage.data) : null;
}
