import type { WebSocket } from 'ws';
import type { FaultAction, RefusalKind, StreamFaults } from '../provider-double/faults.ts';
import type { HeardWord, Hearing } from '../provider-double/hearing.ts';

/** What the first message of a connection asked for. */
export interface LiveSetup {
  model: string;
  languageCodes: readonly string[];
  customVocabulary: readonly string[];
}

export interface LiveRules {
  /** A pause this long settles an utterance. */
  pauseMs: number;
  /** Settled text tells where in the stream it was said. */
  offsets: boolean;
  /** Longest connection, ms; the end is announced … */
  maxConnectionMs: number;
  /** … this much before. */
  noticeMs: number;
}

export interface LiveConnectionOptions {
  rules: LiveRules;
  hearing: Hearing;
  faults: StreamFaults;
  onSetup: (setup: LiveSetup) => void;
  onAudio: (audioMs: number) => void;
}

const bytesPerMs = 32;

/** How the service closes, by what it does not like. */
export const closings: Record<RefusalKind, readonly [code: number, reason: string]> = {
  unauthenticated: [1008, 'API key not valid. Please pass a valid API key.'],
  forbidden: [1008, 'The caller does not have permission.'],
  quota: [1011, 'You exceeded your current quota, please check your plan and billing details.'],
  'rate-limit': [1011, 'Resource has been exhausted (e.g. check rate limits).'],
  'bad-request': [1007, 'Request contains an invalid argument.'],
  'session-limit': [1011, 'Deadline expired before operation could complete.'],
  unavailable: [1011, 'The service is currently unavailable.'],
  internal: [1011, 'Internal error encountered.'],
  deadline: [1011, 'Deadline expired before operation could complete.'],
};

interface ClientMessage {
  setup?: {
    model?: string;
    inputAudioTranscription?: { languageCodes?: string[]; customVocabulary?: string[] };
  };
  realtimeInput?: { audio?: { data?: string; mimeType?: string }; audioStreamEnd?: boolean };
}

/** The service's side of one connection to a live transcription model. */
export class LiveConnection {
  readonly #socket: WebSocket;
  readonly #options: LiveConnectionOptions;
  readonly #progress = { messages: 0, bytes: 0, audioMs: 0 };
  readonly #timers = new Set<NodeJS.Timeout>();
  #hasSetup = false;
  #state: 'open' | 'deaf' | 'hung' | 'over' = 'open';
  #delayMs = 0;
  #utterance: HeardWord[] = [];

  constructor(socket: WebSocket, options: LiveConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    const { maxConnectionMs, noticeMs } = options.rules;
    this.#after(maxConnectionMs - noticeMs, () => this.#endSoon(noticeMs));
    socket.on('message', (data) => this.#onMessage(JSON.parse(String(data)) as ClientMessage));
    socket.on('close', () => this.#over());
    // The connection is gone: nobody is there to be told.
    socket.on('error', () => this.#over());
  }

  #onMessage({ setup, realtimeInput }: ClientMessage): void {
    if (this.#state === 'hung' || this.#state === 'over') return;
    this.#progress.messages += 1;
    if (setup) this.#setUp(setup);
    else if (!this.#hasSetup) return this.#close(...closings['bad-request']);
    if (realtimeInput?.audio) this.#onAudio(realtimeInput.audio);
    if (realtimeInput?.audioStreamEnd) this.#settle(this.#progress.audioMs);
    for (const action of this.#options.faults.due(this.#progress)) this.#do(action);
  }

  #setUp({ model = '', inputAudioTranscription = {} }: NonNullable<ClientMessage['setup']>): void {
    this.#hasSetup = true;
    const { languageCodes = [], customVocabulary = [] } = inputAudioTranscription;
    this.#options.onSetup({ model, languageCodes, customVocabulary });
    this.#say({ setupComplete: {} });
  }

  #onAudio({ data = '', mimeType }: { data?: string; mimeType?: string }): void {
    if (mimeType !== 'audio/pcm;rate=16000') return this.#close(...closings['bad-request']);
    const bytes = Buffer.from(data, 'base64');
    const audioMs = bytes.length / bytesPerMs;
    this.#progress.bytes += bytes.length;
    this.#progress.audioMs += audioMs;
    this.#options.onAudio(audioMs);
    const pcm = new Int16Array(bytes.length / 2);
    for (let i = 0; i < pcm.length; i++) pcm[i] = bytes.readInt16LE(2 * i);
    const words = this.#options.hearing.hear(pcm);
    if (this.#state === 'open') this.#listen(words);
  }

  #listen(words: readonly HeardWord[]): void {
    const { pauseMs } = this.#options.rules;
    for (const word of words) {
      const last = this.#utterance.at(-1);
      if (last && word.startMs - last.endMs >= pauseMs) this.#settle(word.startMs);
      this.#utterance.push(word);
      const { text } = this.#text(word.endMs);
      this.#say({ serverContent: { interimInputTranscription: { text } } });
    }
    const last = this.#utterance.at(-1);
    if (last && this.#progress.audioMs - last.endMs >= pauseMs) this.#settle(last.endMs);
  }

  #settle(endMs: number): void {
    if (this.#utterance.length === 0) return;
    const inputTranscription = this.#text(endMs);
    this.#utterance = [];
    const say = () => this.#say({ serverContent: { inputTranscription } });
    if (this.#delayMs === 0) say();
    else this.#after(this.#delayMs, say);
  }

  #text(endMs: number): Record<string, unknown> {
    const text = this.#utterance.map((word) => word.text).join(' ');
    if (!this.#options.rules.offsets) return { text };
    const seconds = (ms: number) => `${(ms / 1000).toFixed(3)}s`;
    const startMs = this.#utterance[0]?.startMs ?? endMs;
    return { text, startOffset: seconds(startMs), endOffset: seconds(endMs), languageCode: 'en' };
  }

  #do(action: FaultAction): void {
    if (this.#state === 'over') return;
    switch (action.do) {
      case 'refuse': {
        const [code, reason] = closings[action.as];
        return this.#close(code, action.message ?? reason);
      }
      case 'cut':
        return this.#socket.terminate();
      case 'hang':
        this.#state = 'hung';
        return this.#socket.pause();
      case 'go-deaf':
        this.#state = 'deaf';
        return;
      case 'delay-finals':
        this.#delayMs = action.byMs;
        return;
      case 'end-soon':
        return this.#endSoon(action.inMs);
    }
  }

  #endSoon(inMs: number): void {
    this.#say({ goAway: { timeLeft: `${inMs / 1000}s` } });
    this.#after(inMs, () => this.#close(...closings['session-limit']));
  }

  #say(message: Record<string, unknown>): void {
    if (this.#state === 'open') this.#socket.send(JSON.stringify(message));
  }

  #close(code: number, reason: string): void {
    if (this.#state === 'over' || this.#state === 'hung') return;
    this.#over();
    this.#socket.close(code, reason);
  }

  #after(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, ms);
    timer.unref();
    this.#timers.add(timer);
  }

  #over(): void {
    this.#state = 'over';
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
