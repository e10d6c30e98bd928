import { createRequire } from 'node:module';
import { loadPackageDefinition, type ServiceDefinition, status } from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import type { RefusalKind } from '../provider-double/faults.ts';
import type { HeardWord } from '../provider-double/hearing.ts';

export type GoogleVersion = 'v1' | 'v2';

/** The service, from the protos that the client library ships. */
export function speechService(version: GoogleVersion): ServiceDefinition {
  const json: unknown = createRequire(import.meta.url)('@google-cloud/speech/build/protos/protos.json');
  const loaded = loadPackageDefinition(
    fromJSON(json as Parameters<typeof fromJSON>[0], {
      longs: String,
      enums: String,
      defaults: false,
      oneofs: true,
    }),
  );
  const name = `google.cloud.speech.${version}.Speech`;
  let found: unknown = loaded;
  for (const part of name.split('.')) found = (found as Record<string, unknown>)[part];
  return (found as { service: ServiceDefinition }).service;
}

/** A message of the client in one form for both versions. */
export interface ClientMessage {
  opening: Opening | null;
  audio: Uint8Array | null;
}

/** What a client opened a stream with. */
export interface Opening {
  recognizer: string;
  encoding: string;
  sampleRateHertz: number;
  languageCodes: string[];
  model: string;
  interimResults: boolean;
  wordTimes: boolean;
  wordConfidence: boolean;
  diarization: boolean;
  punctuation: boolean;
  phrases: string[];
}

type Message = Record<string, unknown>;

function child(message: unknown, name: string): Message {
  const found = (message as Message | undefined)?.[name];
  return typeof found === 'object' && found !== null ? (found as Message) : {};
}

export function readMessage(version: GoogleVersion, message: Message): ClientMessage {
  const audio = message[version === 'v1' ? 'audioContent' : 'audio'];
  const opening = message.streamingConfig ? readOpening(version, message) : null;
  return { opening, audio: audio instanceof Uint8Array ? audio : null };
}

function readOpening(version: GoogleVersion, message: Message): Opening {
  const streaming = child(message, 'streamingConfig');
  const config = child(streaming, 'config');
  const decoding = version === 'v1' ? config : child(config, 'explicitDecodingConfig');
  const features = version === 'v1' ? config : child(config, 'features');
  const codes =
    version === 'v1'
      ? [config.languageCode, ...listOf(config.alternativeLanguageCodes)]
      : listOf(config.languageCodes);
  const interim = version === 'v1' ? streaming : child(streaming, 'streamingFeatures');
  return {
    recognizer: String(message.recognizer ?? ''),
    encoding: String(decoding.encoding ?? ''),
    sampleRateHertz: Number(decoding.sampleRateHertz ?? 0),
    languageCodes: codes.filter((code) => code !== undefined && code !== '').map(String),
    model: String(config.model ?? ''),
    interimResults: interim.interimResults === true,
    wordTimes: features.enableWordTimeOffsets === true,
    wordConfidence: features.enableWordConfidence === true,
    diarization: features.diarizationConfig !== undefined && features.diarizationConfig !== null,
    punctuation: features.enableAutomaticPunctuation === true,
    phrases: listOf(child(config, 'adaptation').phraseSets).flatMap((set) =>
      listOf((version === 'v1' ? (set as Message) : child(set, 'inlinePhraseSet')).phrases).map((phrase) =>
        String((phrase as Message).value),
      ),
    ),
  };
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** What the double says, before it is put into the words of a version. */
export interface Answer {
  text: string;
  isFinal: boolean;
  endMs: number;
  words: readonly HeardWord[];
}

const confidence = 0.9;

export function answerMessage(version: GoogleVersion, opening: Opening, answer: Answer): Message {
  const { text, isFinal, endMs } = answer;
  const wantsWords = isFinal && (opening.wordTimes || opening.wordConfidence || opening.diarization);
  const words = wantsWords ? answer.words.map((word) => wordMessage(version, opening, word)) : [];
  const language = { languageCode: (opening.languageCodes[0] ?? 'en-us').toLowerCase() };
  return {
    results: [
      {
        alternatives: [{ transcript: text, ...(isFinal && { confidence }), words }],
        isFinal,
        ...(!isFinal && { stability: 0.5 }),
        [version === 'v1' ? 'resultEndTime' : 'resultEndOffset']: durationOf(endMs),
        ...language,
      },
    ],
  };
}

function wordMessage(version: GoogleVersion, opening: Opening, word: HeardWord): Message {
  const names = version === 'v1' ? ['startTime', 'endTime'] : ['startOffset', 'endOffset'];
  const [startName = '', endName = ''] = names;
  return {
    word: word.text,
    ...(opening.wordTimes && { [startName]: durationOf(word.startMs), [endName]: durationOf(word.endMs) }),
    ...(opening.wordConfidence && { confidence }),
    ...(opening.diarization && word.speaker !== undefined && { speakerLabel: word.speaker }),
  };
}

function durationOf(ms: number): Message {
  return { seconds: Math.floor(ms / 1_000), nanos: Math.round((ms % 1_000) * 1_000_000) };
}

export interface Refusal {
  code: status;
  details: string;
}

/** The statuses with which the real service refuses, in its own words. */
export function refusalOf(version: GoogleVersion, kind: RefusalKind): Refusal {
  const isV1 = version === 'v1';
  const refusals: Record<RefusalKind, [code: status, details: string]> = {
    unauthenticated: [
      status.UNAUTHENTICATED,
      'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.',
    ],
    forbidden: [
      status.PERMISSION_DENIED,
      "Permission 'speech.recognizers.recognize' denied on resource (or it may not exist).",
    ],
    quota: [status.RESOURCE_EXHAUSTED, 'Resource has been exhausted (e.g. check quota).'],
    'rate-limit': [
      status.RESOURCE_EXHAUSTED,
      'Audio data is being streamed too fast. Please stream audio data approximately at real time.',
    ],
    'bad-request': [status.INVALID_ARGUMENT, 'Request contains an invalid argument.'],
    'session-limit': isV1
      ? [status.OUT_OF_RANGE, 'Exceeded maximum allowed stream duration of 305 seconds.']
      : [status.ABORTED, 'Max duration of 5 minutes reached for stream.'],
    unavailable: [status.UNAVAILABLE, 'The service is currently unavailable.'],
    internal: [status.INTERNAL, 'Internal error encountered.'],
    deadline: [status.DEADLINE_EXCEEDED, 'Deadline Exceeded'],
  };
  const [code, details] = refusals[kind];
  return { code, details };
}

/** What a stream is refused for before its first audio; null when nothing is wrong. */
export function openingFault(version: GoogleVersion, opening: Opening): Refusal | null {
  const invalid = (details: string): Refusal => ({ code: status.INVALID_ARGUMENT, details });
  if (opening.encoding !== 'LINEAR16') return invalid('Invalid recognition config: bad encoding.');
  if (opening.sampleRateHertz !== 16_000)
    return invalid('Invalid recognition config: bad sample rate hertz.');
  if (
    version === 'v2' &&
    !/^projects\/[^/]+\/locations\/[^/]+\/recognizers\/[^/]+$/.test(opening.recognizer)
  ) {
    return invalid('Invalid resource field value in the request: recognizer.');
  }
  if (opening.languageCodes.length === 0) return invalid('Invalid recognition config: bad language code.');
  if (version === 'v1' && opening.languageCodes.length > 4)
    return invalid('Too many alternative language codes.');
  const models = version === 'v1' ? modelsOfV1 : modelsOfV2;
  if (models.includes(opening.model)) return null;
  return invalid(`The model "${opening.model}" does not exist in the location named "global".`);
}

const modelsOfV1 = [
  '',
  'default',
  'latest_long',
  'latest_short',
  'telephony',
  'phone_call',
  'video',
  'command_and_search',
];
const modelsOfV2 = ['long', 'short', 'telephony', 'chirp_2', 'chirp_3'];

export const wrongs = {
  chunkTooLong: {
    code: status.INVALID_ARGUMENT,
    details: 'Request audio chunk can be a maximum of 15360 bytes.',
  },
  noConfig: {
    code: status.INVALID_ARGUMENT,
    details: 'Malformed request: the first message must hold a streaming config.',
  },
  noAudio: {
    v1: {
      code: status.OUT_OF_RANGE,
      details:
        'Audio Timeout Error: Long duration elapsed without audio. Audio should be sent close to real time.',
    },
    v2: { code: status.ABORTED, details: 'Stream timed out after receiving no more client requests.' },
  },
} as const;
