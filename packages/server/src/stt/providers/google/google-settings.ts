import { DialogLensError } from '../../../errors.ts';
import type { SttCapabilities } from '../../stt.ts';
import { googleLanguages } from './google-languages.ts';

/** How Google Cloud Speech-to-Text is used. */
export interface GoogleSettings {
  apiVersion: 'v1' | 'v2';
  /** `global`, a multi-region such as `eu`, or a region; decides where audio is processed. */
  location: string;
  /** Absent: `long` for v2, `latest_long` for v1. */
  model?: string | undefined;
  /** Absent: the project that the credentials belong to. */
  project?: string | undefined;
  /** A key file. Absent: Application Default Credentials. */
  credentials?: string | undefined;
  /** Languages that may be spoken beside the one of the room, or that `auto` chooses from. */
  languages: readonly string[];
  punctuation: boolean;
  wordTimes: boolean;
  profanityFilter: boolean;
  /** v1 only */
  enhanced: boolean;
  /** Tell the speakers of one track apart. */
  diarization: boolean;
  /** How much words that are expected are preferred, 0..20. */
  hintBoost: number;
  /** Another server, `http://127.0.0.1:PORT` for one without TLS on this machine, or `HOST[:PORT]`. */
  endpoint?: string | undefined;
}

const defaultModels = { v1: 'latest_long', v2: 'long' } as const;

export function modelOf({ apiVersion, model }: GoogleSettings): string {
  return model ?? defaultModels[apiVersion];
}

/** Chirp models find the language by themselves, and say neither when a word was said nor how sure they are of it. */
export function isChirp(settings: GoogleSettings): boolean {
  return modelOf(settings).startsWith('chirp');
}

export function googleCapabilities(settings: GoogleSettings): SttCapabilities {
  const chirp = isChirp(settings);
  return {
    partials: true,
    wordTimes: chirp || !settings.wordTimes ? 'none' : 'measured',
    confidence: !chirp,
    diarization: settings.diarization && !chirp,
    autoLanguage: chirp || settings.languages.length > 0,
    hints: true,
    languages: googleLanguages,
    // The service ends a stream after 305 s (v1) or five minutes (v2).
    maxSessionMs: settings.apiVersion === 'v1' ? 305_000 : 300_000,
    maxChunkBytes: 15_360,
    needsVad: false,
    // Audio that comes at more than twice its speed is refused.
    replayRate: 1.9,
    // Silence is paid for like speech.
    parkAfterSilenceMs: 15_000,
  };
}

/** @throws DialogLensError `invalid_config` for settings that the service is known to refuse together */
export function checkGoogleSettings(settings: GoogleSettings): void {
  const model = modelOf(settings);
  const refuse = (field: string, message: string, remedy: string) => {
    throw new DialogLensError('invalid_config', message, { field: `speech.google.${field}`, remedy });
  };
  if (isChirp(settings) && settings.apiVersion === 'v1') {
    refuse('model', `The model ${model} is not part of Google’s v1.`, 'Set speech.google.apiVersion to v2.');
  }
  if (isChirp(settings) && settings.location === 'global') {
    refuse(
      'location',
      `The model ${model} is not served in the location global.`,
      'Set speech.google.location to us or eu, or to a region that serves the model.',
    );
  }
  if (settings.diarization && isChirp(settings)) {
    refuse(
      'diarization',
      `The model ${model} does not tell speakers apart while it streams.`,
      'Set speech.google.diarization to false, or choose the model long.',
    );
  }
  if (settings.enhanced && settings.apiVersion === 'v2') {
    refuse(
      'enhanced',
      'Google’s v2 has no enhanced models.',
      'Set it to false, or speech.google.apiVersion to v1.',
    );
  }
  if (settings.diarization && !settings.wordTimes) {
    refuse(
      'wordTimes',
      'Speakers are told apart word by word.',
      'Set it to true, or speech.google.diarization to false.',
    );
  }
}

/** Where the service listens: the host, the port, and whether without TLS, which is allowed on this machine only. */
export function googleAddress({ endpoint, location }: GoogleSettings): {
  host: string;
  port: number;
  isPlain: boolean;
} {
  if (endpoint === undefined) {
    const prefix = location === 'global' ? '' : `${location}-`;
    return { host: `${prefix}speech.googleapis.com`, port: 443, isPlain: false };
  }
  const text = endpoint.includes('://') ? endpoint : `https://${endpoint}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  const isPlain = url?.protocol === 'http:';
  if (url === null || (isPlain && !['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname))) {
    throw new DialogLensError('invalid_config', `${endpoint} is no address of a speech service.`, {
      field: 'speech.google.endpoint',
      remedy: 'Use HOST or HOST:PORT; http:// is for servers of this machine only.',
    });
  }
  const port = url.port === '' ? (isPlain ? 80 : 443) : Number(url.port);
  return { host: url.hostname, port, isPlain };
}
