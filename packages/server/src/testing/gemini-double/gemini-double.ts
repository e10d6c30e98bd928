import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { type DoubleFault, FaultScript } from '../provider-double/faults.ts';
import type { MakeHearing } from '../provider-double/hearing.ts';
import { answerContent, type ContentRequest } from './generate-content.ts';
import { LiveConnection, type LiveRules, type LiveSetup } from './live-connection.ts';

export interface GeminiDoubleOptions {
  /** What is heard on each connection, and in each request. */
  hearing: MakeHearing;
  faults?: readonly DoubleFault[];
  rules?: Partial<LiveRules>;
}

/** A server on loopback that speaks the protocols of Gemini: Live over WebSocket, and `generateContent` over HTTP. */
export interface GeminiDouble {
  /** What `speech.gemini.endpoint` is set to. */
  endpoint: string;
  /** Faults to come; more may be added at any time. */
  faults: FaultScript;
  /** What live connections were opened with, oldest first. */
  setups: readonly LiveSetup[];
  requests: readonly ContentRequest[];
  /** Connections open now. */
  readonly open: number;
  /** Audio that came over live connections, ms. */
  readonly audioMs: number;
  dispose(): Promise<void>;
}

const usualRules: LiveRules = { pauseMs: 700, offsets: true, maxConnectionMs: 600_000, noticeMs: 60_000 };

export async function startGeminiDouble(options: GeminiDoubleOptions): Promise<GeminiDouble> {
  const { hearing } = options;
  const rules = { ...usualRules, ...options.rules };
  const faults = new FaultScript(options.faults);
  const setups: LiveSetup[] = [];
  const requests: ContentRequest[] = [];
  let audioMs = 0;
  const http = createServer((request, response) => {
    const onRequest = (one: ContentRequest) => requests.push(one);
    answerContent(request, response, { faults, hearing, onRequest }).catch(() => response.destroy());
  });
  const sockets = new WebSocketServer({ server: http });
  sockets.on('connection', (socket) => {
    new LiveConnection(socket, {
      rules,
      hearing: hearing(),
      faults: faults.openStream(),
      onSetup: (setup) => setups.push(setup),
      onAudio: (ms) => {
        audioMs += ms;
      },
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    faults,
    setups,
    requests,
    get open() {
      return sockets.clients.size;
    },
    get audioMs() {
      return audioMs;
    },
    async dispose() {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
