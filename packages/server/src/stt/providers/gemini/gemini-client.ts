import type { GoogleGenAI, LiveServerMessage, Transcription } from '@google/genai';
import { asError } from '../../../errors.ts';
import { failureOf, type GeminiFailure } from './gemini-faults.ts';
import { type GeminiSettings, geminiModel, maxVocabulary } from './gemini-settings.ts';

/** Text of a stretch of audio; offsets are milliseconds from the beginning of the stream, null when not told. */
export interface GeminiText {
  text: string;
  startMs: number | null;
  endMs: number | null;
  language?: string;
  /** The service says that the utterance is complete. */
  isLast: boolean;
}

/** What one message of the service says. */
export interface GeminiMessage {
  isReady: boolean;
  interim?: GeminiText;
  settled?: GeminiText;
  isTurnOver: boolean;
  /** The service is about to end the connection. */
  endsInMs?: number;
}

export interface CallEvents {
  onMessage: (message: GeminiMessage) => void;
  onEnd: (failure: GeminiFailure) => void;
}

export interface GeminiCall {
  /** @param pcm 16-bit, little-endian */
  audio(pcm: Uint8Array): void;
  /** No more audio comes. */
  end(): void;
  close(): void;
}

export type OpenCall = (events: CallEvents) => GeminiCall;

export interface GeminiWish {
  /** BCP 47 tag or 'auto'. */
  language: string;
  hints: readonly string[];
}

/** Loads the library, which nobody pays for who does not use it. */
export async function makeGenAi(settings: GeminiSettings): Promise<GoogleGenAI> {
  const { GoogleGenAI } = await import('@google/genai');
  const { vertex, apiKey, project, location, credentials, endpoint } = settings;
  const httpOptions = endpoint === undefined ? {} : { httpOptions: { baseUrl: endpoint } };
  if (!vertex) return new GoogleGenAI({ apiKey: apiKey ?? '', vertexai: false, ...httpOptions });
  return new GoogleGenAI({
    vertexai: true,
    project: project ?? '',
    location,
    ...(credentials !== undefined && { googleAuthOptions: { keyFilename: credentials } }),
    ...httpOptions,
  });
}

/** A connection to a live transcription model. What is sent before it is open must be kept by the caller. */
export function openLive(
  ai: GoogleGenAI,
  settings: GeminiSettings,
  wish: GeminiWish,
  events: CallEvents,
): GeminiCall {
  let session: Awaited<ReturnType<GoogleGenAI['live']['connect']>> | null = null;
  let isClosed = false;
  // The library hands out the first messages before it hands out what an answer could be sent with.
  const early: LiveServerMessage[] = [];
  const take = (message: LiveServerMessage) => {
    if (isClosed) return;
    if (session === null) early.push(message);
    else events.onMessage(read(message));
  };
  const end = (failure: GeminiFailure) => {
    if (isClosed) return;
    isClosed = true;
    events.onEnd(failure);
  };
  const connecting = ai.live.connect({
    model: geminiModel(settings),
    config: { responseModalities: ['TEXT' as never], inputAudioTranscription: transcriptionOf(wish) },
    callbacks: {
      onmessage: take,
      // A close follows, but does not say why a connection was never made.
      onerror: ({ message }) => end({ reason: message ?? 'connection error' }),
      onclose: ({ code, reason }) => end({ code, reason }),
    },
  });
  connecting.then(
    (opened) => {
      session = opened;
      if (isClosed) opened.close();
      for (const message of early.splice(0)) take(message);
    },
    (thrown: unknown) => end(failureOf(thrown)),
  );
  const send = (input: Parameters<NonNullable<typeof session>['sendRealtimeInput']>[0]) => {
    if (isClosed || session === null) return;
    try {
      session.sendRealtimeInput(input);
    } catch (thrown) {
      end({ reason: asError(thrown).message });
    }
  };
  return {
    audio(pcm) {
      const data = Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength).toString('base64');
      send({ audio: { data, mimeType: 'audio/pcm;rate=16000' } });
    },
    end: () => send({ audioStreamEnd: true }),
    close: () => {
      isClosed = true;
      session?.close();
    },
  };
}

function transcriptionOf({ language, hints }: GeminiWish) {
  const customVocabulary = hints.slice(0, maxVocabulary);
  return {
    ...(language !== 'auto' && { languageCodes: [language] }),
    ...(customVocabulary.length > 0 && { customVocabulary }),
  };
}

function read({ setupComplete, serverContent, goAway }: LiveServerMessage): GeminiMessage {
  const { interimInputTranscription, inputTranscription, turnComplete, generationComplete } =
    serverContent ?? {};
  return {
    isReady: setupComplete !== undefined,
    isTurnOver: turnComplete === true || generationComplete === true,
    ...(interimInputTranscription && { interim: textOf(interimInputTranscription) }),
    ...(inputTranscription && { settled: textOf(inputTranscription) }),
    ...(goAway && { endsInMs: msOf(goAway.timeLeft) ?? 10_000 }),
  };
}

function textOf({ text, startOffset, endOffset, languageCode, finished }: Transcription): GeminiText {
  return {
    text: text ?? '',
    startMs: msOf(startOffset),
    endMs: msOf(endOffset),
    ...(languageCode !== undefined && { language: languageCode }),
    isLast: finished === true,
  };
}

/** `1.5s`, as the protocol writes durations. */
function msOf(duration: string | undefined): number | null {
  const seconds = /^(\d+(?:\.\d+)?)s$/.exec(duration ?? '')?.[1];
  return seconds === undefined ? null : Math.round(Number(seconds) * 1000);
}
