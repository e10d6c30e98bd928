import { randomUUID } from 'node:crypto';
import type { AgentParts } from '../agent/agent-parts.ts';
import { AgentWorker } from '../agent/agent-worker.ts';
import { TranscriptionAgent } from '../agent/transcription-agent.ts';
import { AudioBudget } from '../audio/kept-audio.ts';
import { systemClock } from '../clock.ts';
import type { Config } from '../config/index.ts';
import { createRoomConnector } from '../livekit/room-connector.ts';
import { defaultMemoryLimit, ProcessVitals } from '../observability/process-vitals.ts';
import { systemScheduler } from '../scheduler.ts';
import { startCollector } from './metrics-collector.ts';
import { type RecordWriting, startRecordWriting } from './record-writing.ts';
import type { ProcessContext } from './running-parts.ts';
import { createSpeech, type SpeechParts } from './speech.ts';
import { untilNameIsFree } from './until-name-is-free.ts';
import { version } from './version.ts';

/** Audio of a track that is kept while it cannot be transcribed. */
const keepAudioMs = 60_000;
/** A hundred tracks of one minute. */
const keptAudioMaxBytes = 192_000_000;

export interface WorkerParts {
  worker: AgentWorker;
  speech: SpeechParts;
  /** Where agents write, watched. */
  writing: RecordWriting;
}

/**
 * Starts the worker of a process, and what it alone needs: journal, speech and measurements.
 * @param use path of the journal, and speech instead of the configured engine
 * @throws DialogLensError `worker_id_taken`, `store_read_only`, `store_full`, or naming the setting that is wrong
 */
export async function startWorker(
  context: ProcessContext,
  workerId: string,
  use: { journal: string; speech: SpeechParts | undefined },
): Promise<WorkerParts> {
  const { config, registry, metrics, logger, running } = context;
  const writing = await startRecordWriting(context, use.journal);
  const cluster = { registry, holder: workerId };
  const speech = use.speech ?? (await createSpeech(config, { metrics, logger }, undefined, cluster));
  running.add('speech', () => speech.stop());
  await startCollector(context, workerId);
  return { worker: await startAgentWorker(context, workerId, { speech, writing }), speech, writing };
}

async function startAgentWorker(
  context: ProcessContext,
  workerId: string,
  { speech, writing }: Omit<WorkerParts, 'worker'>,
): Promise<AgentWorker> {
  const { config, store, registry, metrics, logger, running } = context;
  const { record, journal } = writing;
  const shared = { registry, clock: systemClock, scheduler: systemScheduler, metrics, logger };
  const agentParts: AgentParts = {
    ...shared,
    connector: createRoomConnector(),
    record,
    provider: speech.provider,
    makeDetector: speech.makeDetector,
    journal,
    settings: agentSettings(config),
    audioBudget: new AudioBudget(keptAudioMaxBytes),
  };
  const vitals = new ProcessVitals();
  const worker = new AgentWorker({
    ...shared,
    id: workerId,
    instance: randomUUID(),
    slots: config.agent.slots,
    region: config.agent.region ?? null,
    version,
    leases: store.leases,
    makeAgent: (assignment, host) => new TranscriptionAgent(assignment, agentParts, host),
    limits: {
      maxEventLoopLagMs: config.agent.maxEventLoopLagMs,
      maxMemoryBytes: config.agent.maxMemoryBytes ?? defaultMemoryLimit(),
      tracksPerSlot: config.agent.tracksPerSlot,
    },
    vitals: () => vitals.read(),
  });
  running.add('worker', async () => {
    await worker.stop('process stops');
    vitals.stop();
  });
  vitals.start();
  await untilNameIsFree(() => worker.start(), { signal: running.signal, logger });
  return worker;
}

function agentSettings({ agent, captions, speech }: Config) {
  return {
    captions: {
      textStreams: captions.textStreams,
      dataMessages: captions.dataMessages,
      replayCount: captions.replayFinals,
    },
    defaultLanguage: speech.language,
    screenShareAudio: agent.screenShareAudio,
    emptyRoomLeaveMs: agent.emptyRoomLeaveMs,
    maxParticipants: agent.maxParticipants,
    wantPartials: speech.partials,
    keepAudioMs,
  };
}
