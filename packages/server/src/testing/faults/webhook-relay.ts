import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';

/** Takes LiveKit's webhooks and hands each to one of several dispatchers, until it is told to drop them. */
export interface WebhookRelay {
  url: string;
  /** Where dispatchers answer now. */
  targets: () => readonly string[];
  isDropping: boolean;
  handedOn: number;
  dropped: number;
  stop(): Promise<void>;
}

const answersWithinMs = 2_000;

export async function startWebhookRelay(): Promise<WebhookRelay> {
  const server = createServer((request, response) => {
    void relay(request).then((status) => response.writeHead(status).end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  const self: WebhookRelay = {
    url: `http://127.0.0.1:${address.port}/`,
    targets: () => [],
    ...{ isDropping: false, handedOn: 0, dropped: 0 },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  const relay = async (request: IncomingMessage): Promise<number> => {
    const body = await read(request);
    if (self.isDropping) {
      self.dropped++;
      return 200;
    }
    for (const target of self.targets()) {
      if (!(await handOn(target, request, body))) continue;
      self.handedOn++;
      return 200;
    }
    return 503;
  };
  return self;
}

async function read(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const piece of request.setEncoding('utf8')) body += piece as string;
  return body;
}

function handOn(target: string, { headers }: IncomingMessage, body: string): Promise<boolean> {
  return fetch(`${target}/webhooks/livekit`, {
    method: 'POST',
    body,
    headers: {
      authorization: headers.authorization ?? '',
      'content-type': headers['content-type'] ?? 'application/webhook+json',
    },
    signal: AbortSignal.timeout(answersWithinMs),
  }).then(
    (response) => response.ok,
    () => false, // A dispatcher that is being replaced: another one may take it.
  );
}
