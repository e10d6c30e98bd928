import { setTimeout as delay } from 'node:timers/promises';
import { samplesPerMs } from '../audio/track-clock.ts';
import { systemClock } from '../clock.ts';
import { noMetrics } from '../observability/metric-table.ts';
import { silentLogger } from '../observability/telemetry.ts';
import type { SttEvent, SttProvider } from '../stt/stt.ts';
import { ProviderGate } from '../stt/supervisor/provider-gate.ts';
import { SupervisedProvider } from '../stt/supervisor/supervised-provider.ts';

const pieceSamples = 800;
const pauseMs = 10;
/** Tones are far above it, the silence between them far below. */
const leastLoud = 500;

/** The same provider without its pace: a test speaks faster than anybody. */
export function unpaced(provider: SttProvider): SttProvider {
  return {
    name: provider.name,
    capabilities: { ...provider.capabilities, replayRate: 100 },
    start: () => provider.start(),
    stop: () => provider.stop(),
    open: (options, onEvent) => provider.open(options, onEvent),
  };
}

/** Speaks to a provider under a supervisor, as people do or, unless `inRealTime`, five times as fast. */
export async function speakSupervised(
  provider: SttProvider,
  audio: Int16Array,
  { inRealTime = false } = {},
): Promise<SttEvent[]> {
  const gates = [new ProviderGate({ provider, clock: systemClock, random: Math.random })];
  const telemetry = { clock: systemClock, metrics: noMetrics, logger: silentLogger };
  const supervised = new SupervisedProvider({ gates, ...telemetry });
  const events: SttEvent[] = [];
  const wish = { language: 'en', hints: [], startSample: 0, wantPartials: true, wantWords: true };
  const session = supervised.open({ trackId: 'a', ...wish }, (event) => events.push(event));
  const beganMs = performance.now();
  for (let at = 0; at < audio.length; at += pieceSamples) {
    const pcm = audio.subarray(at, at + pieceSamples);
    const isLoud = pcm.some((sample) => Math.abs(sample) > leastLoud);
    session.write(pcm, at, isLoud);
    await delay(inRealTime ? Math.max(0, beganMs + at / samplesPerMs - performance.now()) : pauseMs);
  }
  await session.finish();
  return events;
}

/** Words of the finals in the order in which they were said. */
export function finalWords(events: readonly SttEvent[]): string[] {
  const finals = events.flatMap((event) => (event.type === 'final' && event.text !== '' ? [event] : []));
  return finals.toSorted((a, b) => a.startSample - b.startSample).flatMap(({ text }) => text.split(' '));
}
