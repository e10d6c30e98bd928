import type { GoogleGenAI } from '@google/genai';
import type { EndpointerOptions } from '../../../audio/endpointer.ts';
import type { Clock } from '../../../clock.ts';
import { DialogLensError } from '../../../errors.ts';
import type { Metrics } from '../../../observability/metric-table.ts';
import type { Scheduler } from '../../../scheduler.ts';
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
  readonly #sessions = new Set<SttSession>();
  #starting: Promise<void> | null = null;
  #running: { ai: GoogleGenAI; segments: GeminiSegments } | null = null;
  #opened = 0;

  /** @throws DialogLensError `provider_credentials` naming what is not set */
  constructor(options: GeminiProviderOptions) {
    checkGeminiSettings(options.settings);
    this.#options = options;
    this.capabilities = geminiCapabilities(options.settings);
  }

  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async stop(): Promise<void> {
    await this.#starting?.catch(() => undefined);
    this.#starting = null;
    this.#running?.segments.stop();
    this.#running = null;
    for (const session of [...this.#sessions]) session.close();
  }

  open(options: SttOpenOptions, onEvent: (event: SttEvent) => void): SttSession {
    const running = this.#running;
    if (running === null) throw new DialogLensError('internal', 'The speech provider gemini is not running.');
    const session =
      this.#options.settings.mode === 'live'
        ? this.#openLive(running.ai, options, onEvent)
        : this.#openSegments(running.segments, options, onEvent);
    this.#sessions.add(session);
    this.#count();
    return session;
  }

  async #start(): Promise<void> {
    const ai = await makeGenAi(this.#options.settings);
    this.#running = { ai, segments: new GeminiSegments(ai, this.#options.settings) };
  }

  #openLive(ai: GoogleGenAI, options: SttOpenOptions, onEvent: (event: SttEvent) => void): SttSession {
    const { settings, clock, scheduler } = this.#options;
    const session: StreamSession = new StreamSession({
      startSample: options.startSample,
      clock,
      scheduler,
      onEvent,
      onClosed: () => this.#closed(session),
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
    return session;
  }

  #openSegments(
    segments: GeminiSegments,
    options: SttOpenOptions,
    onEvent: (event: SttEvent) => void,
  ): SttSession {
    this.#opened += 1;
    const engine = segments.engineFor(`${options.trackId}#${this.#opened}`, options);
    const session: SegmentedSession = new SegmentedSession(
      { ...options, wantPartials: false },
      engine,
      onEvent,
      {
        endpoint: this.#options.endpoint ?? {},
        onClosed: () => this.#closed(session),
      },
    );
    return session;
  }

  #closed(session: SttSession): void {
    this.#sessions.delete(session);
    this.#count();
  }

  #count(): void {
    this.#options.metrics.set('stt_streams', { provider: this.name }, this.#sessions.size);
  }
}
