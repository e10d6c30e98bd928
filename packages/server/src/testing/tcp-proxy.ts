import { once } from 'node:events';
import { createServer, type Socket, connect as tcpConnect } from 'node:net';

/** A way to a server on loopback that a test can cut, as a broken network would. */
export interface TcpProxy {
  port: number;
  /** Connections that go through it now. */
  readonly open: number;
  /**
   * From now on nothing passes, in either direction, and nobody is told. `newest` concerns only the connection that was
   * made last.
   */
  mute(which?: 'all' | 'newest'): void;
  /** Everything passes again, also what was held back. */
  unmute(): void;
  /** Breaks all connections; new ones are taken. */
  reset(): void;
  dispose(): Promise<void>;
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const pairs: { ends: Socket[] }[] = [];
  let isMute = false;
  const server = createServer((near) => {
    const far = tcpConnect(targetPort, '127.0.0.1');
    const pair = { ends: [near, far] };
    pairs.push(pair);
    join(near, far, () => {
      const index = pairs.indexOf(pair);
      if (index >= 0) pairs.splice(index, 1);
    });
    if (isMute) for (const end of pair.ends) end.pause();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  const reset = () => {
    for (const { ends } of [...pairs]) for (const end of ends) end.destroy();
  };
  return {
    port: address.port,
    get open() {
      return pairs.length;
    },
    mute(which = 'all') {
      isMute = which === 'all';
      for (const { ends } of isMute ? pairs : pairs.slice(-1)) for (const end of ends) end.pause();
    },
    unmute() {
      isMute = false;
      for (const { ends } of pairs) for (const end of ends) end.resume();
    },
    reset,
    async dispose() {
      reset();
      server.close();
      await once(server, 'close');
    },
  };
}

/** What one end says the other one hears; when one end is gone, so is the other. */
function join(near: Socket, far: Socket, gone: () => void): void {
  for (const [from, to] of [
    [near, far],
    [far, near],
  ] as const) {
    from.on('data', (chunk) => to.write(chunk));
    // Whatever the error is, the connection closes right after it.
    from.on('error', () => to.destroy());
    from.on('close', () => {
      to.destroy();
      gone();
    });
  }
}
