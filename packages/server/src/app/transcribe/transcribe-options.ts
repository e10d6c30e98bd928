import type { Metrics } from '../../observability/metric-table.ts';
import type { Logger } from '../../observability/telemetry.ts';
import type { Caption } from '../../sinks/sink.ts';
import type { SpeechParts } from '../speech.ts';

/** How a recording is transcribed. */
export interface TranscribeOptions {
  speech: SpeechParts;
  /** As a room would ask for it; the configured one when absent. */
  provider?: string | undefined;
  language: string;
  hints?: readonly string[];
  /** Each channel is a speaker of its own; otherwise they are mixed. */
  splitChannels?: boolean;
  /** As fast as it was spoken, as in a live room, with words while they are being said. */
  realTime?: boolean;
  metrics: Metrics;
  logger: Logger;
  signal: AbortSignal;
  onProgress?: (doneMs: number, totalMs: number | null) => void;
  /** Every revision as it comes, so long after the recording began to be heard, ms. */
  onCaption?: (caption: Caption, afterMs: number) => void;
}
