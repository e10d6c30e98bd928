import { once } from 'node:events';
import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net';

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
  /** The same for the connections of some clients, those that are made later too. */
  muteClients(isMuted: IsMuted): Promise<void>;
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

type IsMuted = (clientPort: number) => Promise<boolean>;

interface Pair {
  ends: Socket[];
  clientPort: number;
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const pairs: Pair[] = [];
  const clients = new ClientMuting();
  let [isMute, isDown, tried] = [false, false, 0];
  let cutAfter = Number.POSITIVE_INFINITY;
  const server = createServer((near) => {
    tried += 1;
    if (isDown) {
      near.destroy();
      return;
    }
    const far = tcpConnect(targetPort, '127.0.0.1');
    const pair: Pair = { ends: [near, far], clientPort: near.remotePort ?? 0 };
    pairs.push(pair);
    const gone = () => {
      const index = pairs.indexOf(pair);
      if (index >= 0) pairs.splice(index, 1);
    };
    join(near, far, gone, cutAfter);
    cutAfter = Number.POSITIVE_INFINITY;
    if (isMute) for (const end of pair.ends) end.pause();
    clients.met(pair);
  });
  const port = await listen(server);
  const reset = () => {
    for (const { ends } of [...pairs]) for (const end of ends) end.destroy();
  };
  return {
    port,
    get open() {
      return pairs.length;
    },
    mute(which = 'all') {
      isMute = which === 'all';
      for (const { ends } of isMute ? pairs : pairs.slice(-1)) for (const end of ends) end.pause();
    },
    muteClients: (which) => clients.mute(pairs, which),
    unmute() {
      isMute = false;
      clients.unmute();
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

/** Which clients are heard by nobody. */
class ClientMuting {
  #isMuted: IsMuted | null = null;

  async mute(pairs: readonly Pair[], which: IsMuted): Promise<void> {
    this.#isMuted = which;
    await Promise.all(pairs.map((pair) => this.#judge(pair)));
  }

  unmute(): void {
    this.#isMuted = null;
  }

  /** A connection was made. */
  met(pair: Pair): void {
    // A client that ended meanwhile has no ports any more.
    this.#judge(pair).catch(() => undefined);
  }

  /** Nothing passes until it is known whose it is. */
  async #judge({ ends, clientPort }: Pair): Promise<void> {
    const isMuted = this.#isMuted;
    if (isMuted === null) return;
    for (const end of ends) end.pause();
    if (!(await isMuted(clientPort))) for (const end of ends) end.resume();
  }
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
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
