import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { type DoubleFault, type FaultAction, FaultScript } from '../provider-double/faults.ts';
import type { MakeHearing } from '../provider-double/hearing.ts';
import { startTcpProxy, type TcpProxy } from '../tcp-proxy.ts';
import { GoogleDoubleCall, type GoogleRules } from './google-call.ts';
import { type GoogleVersion, type Opening, speechService } from './google-protocol.ts';

export interface GoogleDoubleOptions {
  version: GoogleVersion;
  /** What is heard on each stream. */
  hearing: MakeHearing;
  faults?: readonly DoubleFault[];
  rules?: Partial<GoogleRules>;
}

/** A server on loopback that speaks the protocol of Google Cloud Speech-to-Text. */
export interface GoogleDouble {
  /** What `speech.google.endpoint` is set to. */
  endpoint: string;
  /** Faults to come; more may be added at any time. */
  faults: FaultScript;
  /** The way to the server: connections can be cut and silenced there. */
  network: TcpProxy;
  /** What streams were opened with, oldest first. */
  openings: readonly Opening[];
  /** Streams open now. */
  readonly open: number;
  /** Audio that came, all streams, ms. */
  readonly audioMs: number;
  /** Streams that the client ended in good order, by how long they were, ms. */
  readonly ended: readonly number[];
  /** Does this at every open stream now. Returns how many there were. */
  strike(action: FaultAction): number;
  dispose(): Promise<void>;
}

export async function startGoogleDouble(options: GoogleDoubleOptions): Promise<GoogleDouble> {
  const { version, hearing } = options;
  const rules = { ...rulesOf(version), ...options.rules };
  const faults = new FaultScript(options.faults);
  const openings: Opening[] = [];
  let audioMs = 0;
  const calls = new Set<GoogleDoubleCall>();
  const ended: number[] = [];
  const server = new Server();
  let network: TcpProxy | null = null;
  server.addService(speechService(version), {
    streamingRecognize(call: ServerDuplexStream<Record<string, unknown>, Record<string, unknown>>) {
      const beganMs = performance.now();
      const double = new GoogleDoubleCall(call, {
        version,
        rules,
        hearing: hearing(),
        faults: faults.openStream(),
        onOpening: (opening) => openings.push(opening),
        onAudio: (ms) => {
          audioMs += ms;
        },
        cut: () => network?.reset(),
      });
      calls.add(double);
      call.once('end', () => ended.push(performance.now() - beganMs));
      call.once('close', () => calls.delete(double));
    },
  });
  const proxy = await startTcpProxy(await listen(server));
  network = proxy;
  return {
    endpoint: `http://127.0.0.1:${proxy.port}`,
    faults,
    network: proxy,
    openings,
    get open() {
      return calls.size;
    },
    ended,
    strike(action) {
      const struck = [...calls];
      for (const call of struck) call.suffer(action);
      return struck.length;
    },
    get audioMs() {
      return audioMs;
    },
    async dispose() {
      await proxy.dispose();
      server.forceShutdown();
    },
  };
}

function rulesOf(version: GoogleVersion): GoogleRules {
  const maxStreamMs = version === 'v1' ? 305_000 : 300_000;
  return { maxStreamMs, audioTimeoutMs: 10_000, maxRate: 2, pauseMs: 700, maxWords: 60 };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
      if (error) reject(error);
      else resolve(port);
    });
  });
}
