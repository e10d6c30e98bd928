import type { Clock } from '../../../clock.ts';
import { DialogLensError } from '../../../errors.ts';
import type { Metrics } from '../../../observability/metric-table.ts';
import type { Scheduler } from '../../../scheduler.ts';
import { OpenSessions } from '../../open-sessions.ts';
import { StreamSession } from '../../stream-session.ts';
import type { SttCapabilities, SttEvent, SttOpenOptions, SttProvider, SttSession } from '../../stt.ts';
import { PluginProcess } from './plugin-process.ts';
import { PluginSession } from './plugin-session.ts';
import { type PluginSettings, pluginCapabilities } from './plugin-settings.ts';

export interface PluginProviderOptions {
  settings: PluginSettings;
  clock: Clock;
  scheduler: Scheduler;
  metrics: Metrics;
}

/** Any streaming speech plugin of LiveKit Agents, in a process of its own, without its own attempts at repair. */
export class PluginProvider implements SttProvider {
  readonly name = 'livekit-plugin';
  readonly capabilities: SttCapabilities;
  readonly #options: PluginProviderOptions;
  readonly #sessions: OpenSessions;
  #process: PluginProcess | null = null;
  #starting: Promise<void> | null = null;

  constructor(options: PluginProviderOptions) {
    this.#options = options;
    this.#sessions = new OpenSessions(this.name, options.metrics);
    this.capabilities = pluginCapabilities(options.settings);
  }

  /** @throws DialogLensError `plugin_unusable` saying what to install or set */
  start(): Promise<void> {
    this.#starting ??= this.#spawn()
      .loaded()
      .catch((thrown: unknown) => {
        this.#starting = null;
        throw thrown;
      });
    return this.#starting;
  }

  async stop(): Promise<void> {
    await this.#starting?.catch(() => undefined);
    this.#starting = null;
    this.#sessions.closeAll();
    const running = this.#process;
    this.#process = null;
    await running?.stop();
  }

  open(options: SttOpenOptions, onEvent: (event: SttEvent) => void): SttSession {
    if (this.#starting === null)
      throw new DialogLensError('internal', 'The speech provider livekit-plugin is not running.');
    const { clock, scheduler } = this.#options;
    return this.#sessions.open(
      (onClosed) =>
        new StreamSession({
          startSample: options.startSample,
          clock,
          scheduler,
          onEvent,
          onClosed,
          openStream: (startSample, onStreamEvent) => this.#stream(options, startSample, onStreamEvent),
        }),
    );
  }

  #stream(options: SttOpenOptions, startSample: number, onEvent: (event: SttEvent) => void): PluginSession {
    const { language, hints, wantPartials, wantWords } = options;
    const { hintsOption } = this.#options.settings;
    return new PluginSession({
      startSample,
      wantPartials,
      wantWords,
      onEvent,
      openCall: (onMessage) => {
        // A process that ended is replaced by the next one who speaks.
        const running = this.#process ?? this.#spawn();
        return running.open({ language, hints: [...hints], hintsOption }, onMessage);
      },
    });
  }

  #spawn(): PluginProcess {
    const running: PluginProcess = new PluginProcess(this.#options.settings, () => {
      if (this.#process === running) this.#process = null;
    });
    // Whoever starts hears of it; streams of a process that did not load hear that it ended.
    running.loaded().catch(() => undefined);
    this.#process = running;
    return running;
  }
}
