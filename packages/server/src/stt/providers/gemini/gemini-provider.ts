import type { GoogleGenAI } from '@google/genai';
import type { EndpointerOptions } from '../../../audio/endpointer.ts';
import type { Clock } from '../../../clock.ts';
import { DialogLensError } from '../../../errors.ts';
import type { Metrics } from '../../../observability/metric-table.ts';
import type { Scheduler } from '../../../scheduler.ts';
import { OpenSessions } from '../../open-sessions.ts';
import { SegmentedSession } from '../../segmented-session.ts';
import { StreamSession } from '../../stream-session.ts';
import type { SttCapabilities, SttEvent, SttOpenOptions, SttProvider, SttSession } from '../../stt.ts';
import { makeGenAi, openLive } from './gemini-client.ts';
import { GeminiSegments } from './gemini-segments.ts';
import { checkGeminiSettings, type GeminiSettings, geminiCapabilities } from './gemini-settings.ts';
import { GeminiStream } from './gemini-stream.ts';

export interface GeminiProviderOptions {
  settings: GeminiSettings;
  /** How utterances are found, where the model is sent whole ones. */
  endpoint?: Partial<EndpointerOptions>;
  clock: Clock;
  scheduler: Scheduler;
  metrics: Metrics;
}

/** Gemini: live transcription, or each utterance to a model that takes audio. */
export class GeminiProvider implements SttProvider {
  readonly name = 'gemini';
  readonly capabilities: SttCapabilities;
  readonly #options: GeminiProviderOptions;
  readonly #sessions: OpenSessions;
  #starting: Promise<void> | null = null;
  #running: { ai: GoogleGenAI; segments: GeminiSegments } | null = null;
  #opened = 0;

  /** @throws DialogLensError `provider_credentials` naming what is not set */
  constructor(options: GeminiProviderOptions) {
    checkGeminiSettings(options.settings);
    this.#options = options;
    this.#sessions = new OpenSessions(this.name, options.metrics);
    this.capabilities = geminiCapabilities(options.settings);
  }

  /** Loads the library; nothing is sent to the service yet. */
  start(): Promise<void> {
    this.#starting ??= this.#start().catch((thrown: unknown) => {
      this.#starting = null;
      throw thrown;
    });
    return this.#starting;
  }

  async stop(): Promise<void> {
    await this.#starting?.catch(() => undefined);
    this.#starting = null;
    this.#running?.segments.stop();
    this.#running = null;
    this.#sessions.closeAll();
  }

  open(options: SttOpenOptions, onEvent: (event: SttEvent) => void): SttSession {
    const running = this.#running;
    if (running === null) throw new DialogLensError('internal', 'The speech provider gemini is not running.');
    return this.#sessions.open((onClosed) =>
      this.#options.settings.mode === 'live'
        ? this.#openLive(running.ai, options, onEvent, onClosed)
        : this.#openSegments(running.segments, options, onEvent, onClosed),
    );
  }

  async #start(): Promise<void> {
    const ai = await makeGenAi(this.#options.settings);
    this.#running = { ai, segments: new GeminiSegments(ai, this.#options.settings) };
  }

  #openLive(
    ai: GoogleGenAI,
    options: SttOpenOptions,
    onEvent: (event: SttEvent) => void,
    onClosed: () => void,
  ): SttSession {
    const { settings, clock, scheduler } = this.#options;
    return new StreamSession({
      startSample: options.startSample,
      clock,
      scheduler,
      onEvent,
      onClosed,
      openStream: (startSample, onStreamEvent) =>
        new GeminiStream({
          startSample,
          wantPartials: options.wantPartials,
          secrets: [settings.apiKey ?? '', ...options.hints],
          openCall: (events) => openLive(ai, settings, options, events),
          scheduler,
          onEvent: onStreamEvent,
        }),
    });
  }

  #openSegments(
    segments: GeminiSegments,
    options: SttOpenOptions,
    onEvent: (event: SttEvent) => void,
    onClosed: () => void,
  ): SttSession {
    this.#opened += 1;
    const engine = segments.engineFor(`${options.trackId}#${this.#opened}`, options);
    const wish = { ...options, wantPartials: false };
    return new SegmentedSession(wish, engine, onEvent, { endpoint: this.#options.endpoint ?? {}, onClosed });
  }
}
