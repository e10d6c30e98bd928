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
  /** Breaks the next connection once this many bytes of the client have come, in the middle of a message or not. */
  cutAfter(bytes: number): void;
  /** Breaks all connections, and from now on new ones as soon as they are made, until told otherwise. */
  setDown(isDown: boolean): void;
  /** Connections that were tried so far. */
  readonly tried: number;
  dispose(): Promise<void>;
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const pairs: { ends: Socket[] }[] = [];
  let [isMute, isDown, tried] = [false, false, 0];
  let cutAfter = Number.POSITIVE_INFINITY;
  const server = createServer((near) => {
    tried += 1;
    if (isDown) {
      near.destroy();
      return;
    }
    const far = tcpConnect(targetPort, '127.0.0.1');
    const pair = { ends: [near, far] };
    pairs.push(pair);
    const gone = () => {
      const index = pairs.indexOf(pair);
      if (index >= 0) pairs.splice(index, 1);
    };
    join(near, far, gone, cutAfter);
    cutAfter = Number.POSITIVE_INFINITY;
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
    cutAfter(bytes) {
      cutAfter = bytes;
    },
    setDown(down) {
      isDown = down;
      if (down) reset();
    },
    get tried() {
      return tried;
    },
    async dispose() {
      reset();
      server.close();
      await once(server, 'close');
    },
  };
}

/**
 * What one end says the other one hears; when one end is gone, so is the other. It breaks when `cutAfter` bytes of the near
 * end have passed.
 */
function join(near: Socket, far: Socket, gone: () => void, cutAfter: number): void {
  let left = cutAfter;
  near.on('data', (chunk: Buffer) => {
    far.write(chunk.subarray(0, left));
    left -= chunk.length;
    if (left <= 0) near.destroy();
  });
  far.on('data', (chunk) => near.write(chunk));
  for (const [from, to] of [
    [near, far],
    [far, near],
  ] as const) {
    // Whatever the error is, the connection closes right after it.
    from.on('error', () => to.destroy());
    from.on('close', () => {
      to.destroy();
      gone();
    });
  }
}
