import { DialogLensError } from '../../../errors.ts';
import type { SttCapabilities } from '../../stt.ts';

/** How Gemini is used. */
export interface GeminiSettings {
  /** `live` streams to a transcription model, `segment` sends each utterance to a model of any kind. */
  mode: 'live' | 'segment';
  /** Absent: the transcription model of the mode. */
  model?: string | undefined;
  /** Key of the Gemini Developer API. */
  apiKey?: string | undefined;
  /** Use Vertex AI with the credentials of Google Cloud instead of a key. */
  vertex: boolean;
  project?: string | undefined;
  location: string;
  /** Key file of a service account, for Vertex. Absent: Application Default Credentials. */
  credentials?: string | undefined;
  /** Another server, such as a proxy: `https://HOST`. */
  endpoint?: string | undefined;
}

const defaultModels = { live: 'gemini-3.5-transcribe-live', segment: 'gemini-3.5-transcribe' } as const;

/** The service takes a thousand, and works best with at most a hundred. */
export const maxVocabulary = 1_000;

export function geminiModel({ mode, model }: GeminiSettings): string {
  return model ?? defaultModels[mode];
}

export function geminiCapabilities({ mode }: Pick<GeminiSettings, 'mode'>): SttCapabilities {
  const isLive = mode === 'live';
  return {
    partials: isLive,
    wordTimes: isLive ? 'none' : 'estimated',
    confidence: false,
    diarization: false,
    autoLanguage: true,
    hints: true,
    languages: 'any',
    // A connection lasts about ten minutes; the service says so a minute before.
    maxSessionMs: isLive ? 600_000 : null,
    maxChunkBytes: null,
    needsVad: !isLive,
    replayRate: isLive ? 1.9 : 20,
    // Audio is paid for, silence too.
    parkAfterSilenceMs: isLive ? 15_000 : null,
  };
}

/** @throws DialogLensError `provider_credentials` naming what is not set */
export function checkGeminiSettings({ vertex, apiKey, project }: GeminiSettings): void {
  if (!vertex && apiKey === undefined) {
    throw new DialogLensError('provider_credentials', 'Gemini needs an API key, and none is set.', {
      field: 'speech.gemini.apiKey',
      remedy:
        'Set GEMINI_API_KEY to a key from https://aistudio.google.com/apikey, or speech.gemini.vertex to use Vertex AI with the credentials of Google Cloud.',
    });
  }
  if (vertex && project === undefined) {
    throw new DialogLensError(
      'provider_credentials',
      'Gemini on Vertex AI needs a project, and none is set.',
      {
        field: 'speech.google.project',
        remedy: 'Set GOOGLE_CLOUD_PROJECT to the id of the project that is charged.',
      },
    );
  }
}
