import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

const loopback = '127.0.0.1';
/** How many neighbours of a wished port are tried. */
const neighbours = 50;

export type Protocol = 'tcp' | 'udp';

/**
 * A port of the loopback address that is free now: `wished`, or the next free one after it, or with 0 any.
 * Somebody else may still take it before it is used.
 */
export async function freePort(protocol: Protocol, wished = 0): Promise<number> {
  const tryPort = protocol === 'tcp' ? bindTcp : bindUdp;
  for (let port = wished; wished !== 0 && port < wished + neighbours && port <= 65_535; port++) {
    const free = await tryPort(port);
    if (free !== null) return free;
  }
  const any = await tryPort(0);
  if (any === null) throw new Error(`no ${protocol} port of ${loopback} is free`);
  return any;
}

/** The port that was bound for a moment, or null when it cannot be. */
function bindTcp(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen({ port, host: loopback, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : null));
    });
  });
}

function bindUdp(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => {
      socket.close();
      resolve(null);
    });
    socket.bind({ port, address: loopback, exclusive: true }, () => {
      const bound = socket.address().port;
      socket.close(() => resolve(bound));
    });
  });
}
