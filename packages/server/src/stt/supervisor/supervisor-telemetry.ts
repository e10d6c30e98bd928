import { samplesPerMs } from '../../audio/track-clock.ts';
import type { Metrics } from '../../observability/metric-table.ts';
import type { SttEvent, SttFaultKind } from '../stt.ts';
import type { LostAudio } from './lost-audio.ts';

/** What the supervisor of a track tells: metrics for operators, loss for whoever shows captions. */
export class SupervisorTelemetry {
  readonly #metrics: Metrics;
  readonly #onEvent: (event: SttEvent) => void;

  constructor(metrics: Metrics, onEvent: (event: SttEvent) => void) {
    this.#metrics = metrics;
    this.#onEvent = onEvent;
  }

  lost({ startSample, endSample, reason }: LostAudio): void {
    const kind = reason === 'overload' ? 'limit' : 'transient';
    const message = `no text for ${Math.round((endSample - startSample) / samplesPerMs)} ms of speech`;
    this.#onEvent({ type: 'fault', kind, message, lost: { startSample, endSample, reason } });
  }

  fault(provider: string, kind: SttFaultKind): void {
    this.#metrics.count('stt_faults_total', { provider, kind });
    this.#metrics.count('stt_api_errors', { error_type: kind });
  }

  garbage(provider: string): void {
    this.#metrics.count('stt_faults_total', { provider, kind: 'garbage' });
  }

  /** Audio in `[from, to)` samples is sent once more. */
  replay(from: number, to: number): void {
    this.#metrics.count('stt_replayed_seconds_total', {}, Math.max(0, to - from) / 16_000);
  }
}
