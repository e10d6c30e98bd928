import {
  type ApiError,
  ConnectionBroken,
  followStream,
  ServerCalls,
  type TranscriptState,
} from '@dialoglens/protocol';
import { serverLink } from './server-link.ts';
import { goToSignIn } from './sign-in.ts';

export interface FollowOptions<E> {
  /** Path of the stream, without a slash before it. */
  path: string;
  /** Where to go on; an id the server does not know brings what it has of late. */
  lastEventId: string;
  onEvent(event: E): void;
  onState(state: TranscriptState): void;
}

/** Follows a stream of this server, over broken connections too, until it ends or the returned function is called. */
export function followEvents<E>({ path, lastEventId, onEvent, onState }: FollowOptions<E>): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  const calls = new ServerCalls({
    server: new URL(location.origin),
    token: null,
    fetch: (...request) => fetch(...request),
  });
  const become = (state: TranscriptState, error?: ApiError) => {
    if (signal.aborted) return;
    tellOthers(state, error);
    onState(state);
  };
  void followStream({
    open: (id, connection) => calls.stream(path, id, connection),
    lastEventId,
    signal,
    onOpen: () => become('open'),
    onLost: (error) => become('lost', error),
    onEvent: ({ data }) => {
      onEvent(JSON.parse(data) as E);
      return false;
    },
  }).then(
    () => become('over'),
    (error: ApiError) => become('refused', error),
  );
  return () => stop.abort();
}

/** The rest of the page learns from a stream too whether the server can be reached, and who it is for. */
export function tellOthers(state: TranscriptState, error?: ApiError): void {
  if (state === 'open') serverLink.reached();
  // One that broke off may be had again at once.
  if (state === 'lost' && error?.status === 0 && !(error instanceof ConnectionBroken)) serverLink.lost();
  if (state === 'refused' && error?.status === 401) goToSignIn();
}
