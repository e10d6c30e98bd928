import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { FromHost, ToHost } from './host-messages.ts';
import type { AgentsSpeechStream, AgentsStt, LoadedPlugin } from './loaded-plugin.ts';
import { PluginStreams } from './plugin-streams.ts';

const wish: Extract<ToHost, { do: 'open' }> = {
  do: 'open',
  stream: 7,
  language: 'en',
  hints: [],
  hintsOption: null,
};

/** A plugin whose streams are what `iterate` gives; `opened` is done when one begins. */
function pluginOf(
  iterate: () => AsyncIterator<{ type: number }>,
  opened: () => void = () => undefined,
): LoadedPlugin {
  const stream: AgentsSpeechStream = {
    pushFrame: () => undefined,
    flush: () => undefined,
    endInput: () => undefined,
    close: () => undefined,
    [Symbol.asyncIterator]: iterate,
  };
  const stt: AgentsStt = {
    capabilities: { streaming: true, interimResults: true },
    on: () => undefined,
    stream: () => {
      opened();
      return stream;
    },
  };
  const events = { start: 0, partial: 1, final: 2, end: 3 };
  return { make: () => stt, frame: () => ({}), events, options: {} };
}

const silent = () => new Promise<IteratorResult<{ type: number }>>(() => undefined);

function open(plugin: LoadedPlugin) {
  const told: FromHost[] = [];
  const streams = new PluginStreams((message) => told.push(message));
  streams.open(plugin, wish);
  return { streams, told };
}

describe('Streams of a plugin', () => {
  it('are let go of with the reason when the plugin ends one', async () => {
    const { streams, told } = open(
      pluginOf(() => ({ next: async () => ({ done: true, value: undefined }) })),
    );
    expect(streams.size).toBe(1);
    await vi.waitFor(() => expect(told).toHaveLength(1));
    expect(told).toEqual([
      { tell: 'fault', stream: 7, kind: 'transient', message: 'The plugin ended the stream.' },
    ]);
    expect(streams.size).toBe(0);
  });

  it('are not kept when they cannot begin', () => {
    const refuses = pluginOf(
      () => ({ next: silent }),
      () => {
        throw Object.assign(new TypeError('secret'), { statusCode: 401 });
      },
    );
    const { streams, told } = open(refuses);
    expect(told).toEqual([
      { tell: 'fault', stream: 7, kind: 'auth', message: 'The plugin failed: TypeError (status 401).' },
    ]);
    expect(streams.size).toBe(0);
  });

  it('are let go of with the reason when their connection is lost', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const sockets = new WebSocketServer({ server });
    const { port } = server.address() as AddressInfo;
    const connects = pluginOf(
      () => ({ next: silent }),
      () => void new WebSocket(`ws://127.0.0.1:${port}`).on('open', () => sockets.close()),
    );
    sockets.on('connection', (socket) => socket.terminate());
    const { streams, told } = open(connects);
    await vi.waitFor(() => expect(told).toHaveLength(1), 10_000);
    expect(told[0]).toMatchObject({ kind: 'transient', message: 'The connection of the plugin was lost.' });
    expect(streams.size).toBe(0);
    sockets.close();
    server.close();
    await once(server, 'close');
  });

  it('are let go of when they are closed', () => {
    const { streams, told } = open(pluginOf(() => ({ next: silent })));
    streams.close(7);
    expect({ told, open: streams.size }).toEqual({ told: [], open: 0 });
  });
});
