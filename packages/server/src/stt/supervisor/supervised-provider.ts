import type { Clock } from '../../clock.ts';
import { DialogLensError } from '../../errors.ts';
import type { Metrics } from '../../observability/metric-table.ts';
import type { Logger } from '../../observability/telemetry.ts';
import { type Scheduler, systemScheduler } from '../../scheduler.ts';
import type { SttCapabilities, SttEvent, SttOpenOptions, SttProvider, SttSession } from '../stt.ts';
import type { ProviderGate } from './provider-gate.ts';
import type { SupervisorSettings } from './supervisor-settings.ts';
import { TrackSupervisor } from './track-supervisor.ts';

export interface SupervisedProviderOptions {
  /** In the order in which they are preferred. Not empty. */
  gates: readonly ProviderGate[];
  clock: Clock;
  scheduler?: Scheduler;
  /** 0..1; default `Math.random` */
  random?: () => number;
  metrics: Metrics;
  logger: Logger;
  settings?: Partial<SupervisorSettings>;
}

/**
 * A chain of providers that looks like one whose streams never end and lose nothing. The providers are started and
 * stopped by their owner: one provider may be in many chains.
 */
export class SupervisedProvider implements SttProvider {
  readonly name: string;
  readonly capabilities: SttCapabilities;
  readonly #options: SupervisedProviderOptions;
  readonly #tracks = new Set<TrackSupervisor>();

  constructor(options: SupervisedProviderOptions) {
    const [first] = options.gates;
    if (first === undefined) throw new DialogLensError('internal', 'A chain of providers must not be empty.');
    this.#options = options;
    this.name = first.provider.name;
    this.capabilities = mergedCapabilities(
      options.gates.map((gate) => gate.provider.capabilities),
      first,
    );
  }

  /** Memory of the audio kept for replay, all tracks, bytes. */
  get ringBytes(): number {
    let sum = 0;
    for (const track of this.#tracks) sum += track.ringBytes;
    return sum;
  }

  async start(): Promise<void> {
    // The providers of a chain belong to whoever made it.
  }

  async stop(): Promise<void> {
    for (const track of [...this.#tracks]) track.close();
  }

  open(options: SttOpenOptions, onEvent: (event: SttEvent) => void): SttSession {
    if (!knowsLanguage(this.capabilities, options.language)) {
      throw new DialogLensError(
        'unsupported_language',
        `No speech provider here knows ${options.language}.`,
        {
          field: 'language',
        },
      );
    }
    const { gates, clock, scheduler, random, metrics, logger, settings } = this.#options;
    const track: TrackSupervisor = new TrackSupervisor({
      gates: gates.filter((gate) => knowsLanguage(gate.provider.capabilities, options.language)),
      open: options,
      onEvent,
      onClosed: () => this.#tracks.delete(track),
      clock,
      scheduler: scheduler ?? systemScheduler,
      random: random ?? Math.random,
      metrics,
      logger,
      ...(settings && { settings }),
    });
    this.#tracks.add(track);
    return track;
  }
}

/** Whether an engine takes audio in this language, a BCP 47 tag or `auto`. */
export function knowsLanguage({ languages, autoLanguage }: SttCapabilities, language: string): boolean {
  if (languages === 'any') return language !== 'auto' || autoLanguage;
  if (language === 'auto') return autoLanguage;
  return languages.includes(language.split('-')[0]?.toLowerCase() ?? '');
}

/** What the chain can do: as the first provider, in every language that one of them knows. */
function mergedCapabilities(all: readonly SttCapabilities[], first: ProviderGate): SttCapabilities {
  const isAny = all.some((one) => one.languages === 'any');
  const known = all.flatMap((one) => (one.languages === 'any' ? [] : [...one.languages]));
  return {
    ...first.provider.capabilities,
    autoLanguage: all.some((one) => one.autoLanguage),
    languages: isAny ? 'any' : [...new Set(known)],
    needsVad: true,
    maxSessionMs: null,
    parkAfterSilenceMs: null,
  };
}
