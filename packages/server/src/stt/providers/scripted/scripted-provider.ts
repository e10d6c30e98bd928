import { samplesPerMs } from '../../../audio/track-clock.ts';
import type { SttCapabilities, SttEvent, SttOpenOptions, SttProvider } from '../../stt.ts';
import type { Script, ScriptedFault } from './script.ts';
import { ScriptedSession } from './scripted-session.ts';

const capabilities: SttCapabilities = {
  partials: true,
  wordTimes: 'measured',
  confidence: true,
  diarization: false,
  autoLanguage: true,
  hints: false,
  languages: 'any',
  maxSessionMs: null,
  maxChunkBytes: null,
  needsVad: false,
  replayRate: 100,
  parkAfterSilenceMs: null,
};

/**
 * Says a given script: what is heard depends on nothing but the audio written, so that the same writes give the same
 * events. A word counts as heard when all of its audio was written.
 */
export class ScriptedProvider implements SttProvider {
  readonly name: string;
  readonly capabilities: SttCapabilities;
  readonly #script: Script;
  readonly #sessions = new Set<ScriptedSession>();
  readonly #timesLeft = new Map<ScriptedFault, number>();

  constructor(script: Script) {
    this.#script = script;
    this.name = script.name ?? 'scripted';
    this.capabilities = { ...capabilities, ...script.capabilities };
    for (const fault of script.faults ?? []) this.#timesLeft.set(fault, fault.times ?? 1);
  }

  /** Streams open now. */
  get openSessions(): number {
    return this.#sessions.size;
  }

  async start(): Promise<void> {
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    for (const session of [...this.#sessions]) session.close();
  }

  open(options: SttOpenOptions, onEvent: (event: SttEvent) => void): ScriptedSession {
    const mine = (row: { trackId?: string }) => row.trackId === undefined || row.trackId === options.trackId;
    const session: ScriptedSession = new ScriptedSession({
      options: { ...options, wantPartials: options.wantPartials && this.capabilities.partials },
      words: this.#script.words.filter(mine).toSorted((a, b) => a.startMs - b.startMs),
      faults: (this.#script.faults ?? [])
        .filter((fault) => mine(fault) && fault.atMs * samplesPerMs >= options.startSample)
        .toSorted((a, b) => a.atMs - b.atMs),
      takeFault: (fault) => this.#takeFault(fault),
      pauseMs: this.#script.pauseMs ?? 700,
      finalDelayMs: this.#script.finalDelayMs ?? 300,
      confidence: this.capabilities.confidence,
      onEvent,
      onClosed: () => this.#sessions.delete(session),
    });
    this.#sessions.add(session);
    return session;
  }

  #takeFault(fault: ScriptedFault): boolean {
    const left = this.#timesLeft.get(fault) ?? 0;
    this.#timesLeft.set(fault, left - 1);
    return left > 0;
  }
}

/** @see ScriptedProvider */
export function createScriptedProvider(script: Script): ScriptedProvider {
  return new ScriptedProvider(script);
}

/** What the engine can do when its script says nothing else. */
export { capabilities as scriptedCapabilities };
