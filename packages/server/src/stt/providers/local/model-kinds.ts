/** A file of a model, by what it does in it. */
export type ModelRole =
  | 'encoder'
  | 'decoder'
  | 'joiner'
  | 'preprocessor'
  | 'uncachedDecoder'
  | 'cachedDecoder'
  | 'mergedDecoder'
  | 'model';

export type ModelFiles = Partial<Record<ModelRole, string>>;

interface KindSpec {
  /** As messages and the guide call it. */
  title: string;
  /** Streaming models hear audio as it comes; the others are given whole utterances. */
  isStreaming: boolean;
  roles: readonly ModelRole[];
  /** Whether the library tells when each token was said. */
  hasTimes: boolean;
  /** The part of sherpa-onnx's `modelConfig` that names the files. `language` is empty when the model is to find out. */
  config: (files: ModelFiles, language: string) => object;
}

const transducer = ({ encoder, decoder, joiner }: ModelFiles) => ({
  transducer: { encoder, decoder, joiner },
});

function single(key: string) {
  return ({ model }: ModelFiles) => ({ [key]: key === 'teleSpeechCtc' ? model : { model } });
}

/** Every kind of model that sherpa-onnx runs and that a folder may hold. */
export const modelKinds = {
  'streaming-transducer': {
    title: 'streaming transducer (Zipformer, Conformer, LSTM, NeMo)',
    isStreaming: true,
    roles: ['encoder', 'decoder', 'joiner'],
    hasTimes: true,
    config: transducer,
  },
  'streaming-paraformer': {
    title: 'streaming Paraformer',
    isStreaming: true,
    roles: ['encoder', 'decoder'],
    hasTimes: false,
    config: ({ encoder, decoder }) => ({ paraformer: { encoder, decoder } }),
  },
  'streaming-zipformer-ctc': {
    title: 'streaming Zipformer CTC',
    isStreaming: true,
    roles: ['model'],
    hasTimes: true,
    config: single('zipformer2Ctc'),
  },
  'streaming-nemo-ctc': {
    title: 'streaming NeMo CTC',
    isStreaming: true,
    roles: ['model'],
    // The library tells times, but reckons with a shorter step than these models have.
    hasTimes: false,
    config: single('nemoCtc'),
  },
  transducer: {
    title: 'transducer (Zipformer, Parakeet)',
    isStreaming: false,
    roles: ['encoder', 'decoder', 'joiner'],
    hasTimes: true,
    config: transducer,
  },
  whisper: {
    title: 'Whisper',
    isStreaming: false,
    roles: ['encoder', 'decoder'],
    hasTimes: false,
    config: ({ encoder, decoder }, language) => ({
      whisper: { encoder, decoder, language, task: 'transcribe' },
    }),
  },
  moonshine: {
    title: 'Moonshine of four files',
    isStreaming: false,
    roles: ['preprocessor', 'encoder', 'uncachedDecoder', 'cachedDecoder'],
    hasTimes: false,
    config: ({ preprocessor, encoder, uncachedDecoder, cachedDecoder }) => ({
      moonshine: { preprocessor, encoder, uncachedDecoder, cachedDecoder },
    }),
  },
  'moonshine-merged': {
    title: 'Moonshine with a merged decoder',
    isStreaming: false,
    roles: ['encoder', 'mergedDecoder'],
    hasTimes: false,
    config: ({ encoder, mergedDecoder }) => ({ moonshine: { encoder, mergedDecoder } }),
  },
  'sense-voice': {
    title: 'SenseVoice',
    isStreaming: false,
    roles: ['model'],
    hasTimes: true,
    config: ({ model }, language) => ({
      senseVoice: { model, language: language || 'auto', useInverseTextNormalization: 1 },
    }),
  },
  paraformer: {
    title: 'Paraformer',
    isStreaming: false,
    roles: ['model'],
    hasTimes: true,
    config: single('paraformer'),
  },
  'nemo-ctc': {
    title: 'NeMo CTC',
    isStreaming: false,
    roles: ['model'],
    hasTimes: true,
    config: single('nemoCtc'),
  },
  'zipformer-ctc': {
    title: 'Zipformer CTC',
    isStreaming: false,
    roles: ['model'],
    hasTimes: true,
    config: single('zipformerCtc'),
  },
  'wenet-ctc': {
    title: 'WeNet CTC',
    isStreaming: false,
    roles: ['model'],
    hasTimes: true,
    config: single('wenetCtc'),
  },
  'telespeech-ctc': {
    title: 'TeleSpeech CTC',
    isStreaming: false,
    roles: ['model'],
    hasTimes: true,
    config: single('teleSpeechCtc'),
  },
  dolphin: {
    title: 'Dolphin CTC',
    isStreaming: false,
    roles: ['model'],
    hasTimes: true,
    config: single('dolphin'),
  },
  omnilingual: {
    title: 'Omnilingual ASR CTC',
    isStreaming: false,
    roles: ['model'],
    hasTimes: true,
    config: single('omnilingual'),
  },
  'fire-red': {
    title: 'FireRedASR',
    isStreaming: false,
    roles: ['encoder', 'decoder'],
    hasTimes: false,
    config: ({ encoder, decoder }) => ({ fireRedAsr: { encoder, decoder } }),
  },
  canary: {
    title: 'NeMo Canary',
    isStreaming: false,
    roles: ['encoder', 'decoder'],
    hasTimes: false,
    config: ({ encoder, decoder }, language) => ({
      canary: { encoder, decoder, srcLang: language || 'en', tgtLang: language || 'en', usePnc: 1 },
    }),
  },
} as const satisfies Record<string, KindSpec>;

export type ModelKind = keyof typeof modelKinds;

/** @see modelKinds */
export function kindSpec(kind: ModelKind): KindSpec {
  return modelKinds[kind];
}

export const modelKindNames = Object.keys(modelKinds) as [ModelKind, ...ModelKind[]];

/** What the exporters write as `model_type` into models of one file. */
const singleByType: readonly (readonly [pattern: RegExp, kind: ModelKind])[] = [
  [/^sense_voice/, 'sense-voice'],
  [/^paraformer/, 'paraformer'],
  [/^EncDec/, 'nemo-ctc'],
  [/^zipformer2?_?(ctc)?$/, 'zipformer-ctc'],
  [/^wenet_ctc/, 'wenet-ctc'],
  [/^telespeech_ctc/, 'telespeech-ctc'],
  [/dolphin/i, 'dolphin'],
  [/omnilingual/i, 'omnilingual'],
];

const pairByType: readonly (readonly [pattern: RegExp, kind: ModelKind])[] = [
  [/^whisper/, 'whisper'],
  [/^EncDecMultiTask/, 'canary'],
  [/fire.?red/i, 'fire-red'],
  [/paraformer/, 'streaming-paraformer'],
];

/** Which kind of model these files are, by their names and by what the exporter wrote into them; null when unknown. */
export function kindOf(files: ModelFiles, metadata: ReadonlyMap<string, string>): ModelKind | null {
  const type = metadata.get('model_type') ?? '';
  const hasChunks = metadata.has('window_size') && metadata.has('chunk_shift');
  const isStreaming = metadata.has('decode_chunk_len') || hasChunks;
  if (files.joiner !== undefined) return isStreaming ? 'streaming-transducer' : 'transducer';
  if (files.mergedDecoder !== undefined) return 'moonshine-merged';
  if (files.uncachedDecoder !== undefined || files.cachedDecoder !== undefined) return 'moonshine';
  if (files.encoder !== undefined) {
    const kind = pairByType.find(([pattern]) => pattern.test(type))?.[1];
    return kind ?? (metadata.has('lfr_window_size') ? 'streaming-paraformer' : null);
  }
  if (files.model === undefined) return null;
  if (isStreaming) return hasChunks ? 'streaming-nemo-ctc' : 'streaming-zipformer-ctc';
  return singleByType.find(([pattern]) => pattern.test(type))?.[1] ?? null;
}
