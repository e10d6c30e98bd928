import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import {
  type DoubleFault,
  type FaultAction,
  FaultScript,
  type StreamFaults,
} from '../provider-double/faults.ts';
import type { HeardWord, Hearing, MakeHearing } from '../provider-double/hearing.ts';

export interface DeepgramDoubleOptions {
  hearing: MakeHearing;
  faults?: readonly DoubleFault[];
  /** A pause this long ends an utterance; 400 ms. */
  pauseMs?: number;
}

/** A server on loopback that speaks the streaming protocol of Deepgram, for plugins that talk to it. */
export interface DeepgramDouble {
  /** What the plugin's `baseUrl` is set to. */
  endpoint: string;
  faults: FaultScript;
  /** Queries of the streams, oldest first. */
  queries: readonly URLSearchParams[];
  readonly open: number;
  /** Breaks every open connection. */
  cut(): void;
  dispose(): Promise<void>;
}

const bytesPerMs = 32;

export async function startDeepgramDouble(options: DeepgramDoubleOptions): Promise<DeepgramDouble> {
  const faults = new FaultScript(options.faults);
  const queries: URLSearchParams[] = [];
  const http = createServer();
  const sockets = new WebSocketServer({ noServer: true });
  http.on('upgrade', (request, socket, head) => {
    if (request.headers.authorization === 'Token wrong') {
      socket.end('HTTP/1.1 401 Unauthorized\r\nconnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      queries.push(new URL(request.url ?? '', 'http://double').searchParams);
      const { pauseMs = 400, hearing } = options;
      new DeepgramConnection(webSocket, hearing(), faults.openStream(), pauseMs);
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const socket of sockets.clients) socket.terminate();
  };
  return {
    endpoint: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`,
    faults,
    queries,
    get open() {
      return sockets.clients.size;
    },
    cut,
    async dispose() {
      cut();
      sockets.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

class DeepgramConnection {
  readonly #socket: WebSocket;
  readonly #hearing: Hearing;
  readonly #faults: StreamFaults;
  readonly #pauseMs: number;
  readonly #progress = { messages: 0, bytes: 0, audioMs: 0 };
  #isMute = false;
  #delayMs = 0;
  #words: HeardWord[] = [];

  constructor(socket: WebSocket, hearing: Hearing, faults: StreamFaults, pauseMs: number) {
    this.#socket = socket;
    this.#hearing = hearing;
    this.#faults = faults;
    this.#pauseMs = pauseMs;
    socket.on('message', (data: Buffer, isBinary) => this.#onMessage(data, isBinary));
    // The connection is gone: nobody is there to be told.
    socket.on('error', () => undefined);
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    this.#progress.messages += 1;
    if (isBinary) this.#onAudio(data);
    else this.#onCommand(JSON.parse(data.toString('utf8')) as { type: string });
    for (const action of this.#faults.due(this.#progress)) this.#do(action);
  }

  #onAudio(data: Buffer): void {
    this.#progress.bytes += data.length;
    this.#progress.audioMs += data.length / bytesPerMs;
    const pcm = new Int16Array(Math.floor(data.length / 2));
    for (let i = 0; i < pcm.length; i++) pcm[i] = data.readInt16LE(2 * i);
    for (const word of this.#hearing.hear(pcm)) {
      const last = this.#words.at(-1);
      if (last && word.startMs - last.endMs >= this.#pauseMs) this.#result(true, true);
      this.#words.push(word);
      this.#result(false, false);
    }
    const last = this.#words.at(-1);
    if (last && this.#progress.audioMs - last.endMs >= this.#pauseMs) this.#result(true, true);
  }

  #onCommand({ type }: { type: string }): void {
    if (type === 'KeepAlive') return;
    this.#result(true, false);
    if (type !== 'CloseStream') return;
    this.#say({ type: 'Metadata', request_id: 'double' });
    this.#socket.close(1000);
  }

  #result(isFinal: boolean, isEndpoint: boolean): void {
    const words = this.#words;
    if (isFinal) this.#words = [];
    if (words.length === 0) return;
    const seconds = (ms: number) => ms / 1000;
    const message = {
      type: 'Results',
      metadata: { request_id: 'double' },
      is_final: isFinal,
      speech_final: isEndpoint,
      channel: {
        alternatives: [
          {
            transcript: words.map((word) => word.text).join(' '),
            confidence: 0.9,
            words: words.map(({ text, startMs, endMs }) => ({
              word: text,
              punctuated_word: text,
              start: seconds(startMs),
              end: seconds(endMs),
              confidence: 0.9,
            })),
          },
        ],
      },
    };
    if (isFinal && this.#delayMs > 0) setTimeout(() => this.#say(message), this.#delayMs).unref();
    else this.#say(message);
  }

  #say(message: unknown): void {
    if (!this.#isMute && this.#socket.readyState === this.#socket.OPEN)
      this.#socket.send(JSON.stringify(message));
  }

  #do(action: FaultAction): void {
    switch (action.do) {
      case 'refuse':
        return this.#socket.close(1011, action.message ?? action.as);
      case 'cut':
        return this.#socket.terminate();
      case 'hang':
        return this.#socket.pause();
      case 'go-deaf':
        this.#isMute = true;
        return;
      case 'delay-finals':
        this.#delayMs = action.byMs;
        return;
      case 'end-soon':
        setTimeout(() => this.#socket.close(1000), action.inMs).unref();
    }
  }
}
