import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import type { Socket } from 'node:net';

const watched = new AsyncLocalStorage<{ onLost: () => void }>();

// Many plugins connect again by themselves when their WebSocket is lost, and never tell that words went with it.
subscribe('http.client.request.start', (message) => {
  const watcher = watched.getStore();
  if (!watcher) return;
  const { request } = message as { request: ClientRequest };
  request.once('upgrade', (_response: unknown, socket: Socket) => {
    socket.once('close', () => watcher.onLost());
  });
});

/** Does `open`, and calls `onLost` for each WebSocket that is lost of those which it made, then or later. */
export function watchConnections<T>(open: () => T, onLost: () => void): T {
  return watched.run({ onLost }, open);
}
