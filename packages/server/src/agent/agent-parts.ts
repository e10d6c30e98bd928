import type { DemandSettings } from '@dialoglens/protocol';
import type { AudioBudget } from '../audio/kept-audio.ts';
import type { SpeechDetectorFactory } from '../audio/speech-detector.ts';
import type { Clock } from '../clock.ts';
import type { Metrics } from '../observability/metric-table.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import type { Scheduler } from '../scheduler.ts';
import type { RoomCaptionOptions } from '../sinks/room-captions.ts';
import type { BatchJournal } from '../sinks/store-writer.ts';
import type { RecordStore } from '../store/store.ts';
import type { SttProvider } from '../stt/stt.ts';
import type { RoomConnector } from './room-connection.ts';

export interface AgentSettings {
  captions: RoomCaptionOptions & { replayCount: number };
  defaultLanguage: string;
  screenShareAudio: boolean;
  /** Leave after the room has held no human for this long. */
  emptyRoomLeaveMs: number;
  /** Speakers transcribed at once where the demand names no number. */
  maxParticipants: number;
  /** Show words while they are being said. */
  wantPartials: boolean;
  /** How much audio of a track is kept while nobody can transcribe it, ms. */
  keepAudioMs: number;
}

/** What every agent of a worker shares. */
export interface AgentParts {
  connector: RoomConnector;
  record: RecordStore;
  registry: AgentRegistry;
  /** The speech provider of a room, with those that stand in for it. @throws DialogLensError `unknown_provider` */
  provider: (wish: Pick<DemandSettings, 'provider' | 'fallbacks'>) => SttProvider;
  makeDetector: SpeechDetectorFactory;
  journal: BatchJournal | null;
  settings: AgentSettings;
  /** Memory for the audio that all agents of the process keep. */
  audioBudget: AudioBudget;
  clock: Clock;
  scheduler: Scheduler;
  metrics: Metrics;
  logger: Logger;
}
