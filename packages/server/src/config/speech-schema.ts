import { z } from 'zod';
import { geminiSchema as gemini } from './gemini-schema.ts';
import { googleSchema as google } from './google-schema.ts';
import { pluginSchema as livekitPlugin } from './plugin-schema.ts';
import { milliseconds, settingDocs } from './setting-doc.ts';

/** Every speech provider, in the order in which they are listed. */
export const providerNames = ['local', 'google', 'gemini', 'livekit-plugin', 'scripted'] as const;
export type ProviderName = (typeof providerNames)[number];

/** Kinds of models that a folder for the local engine may hold. */
const localModelKinds = [
  'auto',
  'streaming-transducer',
  'streaming-paraformer',
  'streaming-zipformer-ctc',
  'streaming-nemo-ctc',
  'transducer',
  'whisper',
  'moonshine',
  'moonshine-merged',
  'sense-voice',
  'paraformer',
  'nemo-ctc',
  'zipformer-ctc',
  'wenet-ctc',
  'telespeech-ctc',
  'dolphin',
  'omnilingual',
  'fire-red',
  'canary',
] as const;

const local = z.strictObject({
  model: z.string().min(1).optional().register(settingDocs, {
    doc: 'Folder with another model for the engine `local`, as sherpa-onnx publishes them: its `.onnx` files and `tokens.txt`. Streaming models show words while they are said at little cost.',
  }),
  kind: z.enum(localModelKinds).default('auto').register(settingDocs, {
    doc: 'Kind of the model in that folder; `auto` goes by the names of its files and by what they say of themselves.',
  }),
  language: z
    .string()
    .regex(/^([a-z]{2,3}|auto)$/, 'must be a language such as en, or auto')
    .default('auto')
    .register(settingDocs, {
      doc: 'Language that a model of several languages (Whisper, SenseVoice) is told; `auto` lets it find out for each utterance.',
    }),
});

const providers = () => z.array(z.enum(providerNames)).max(8).default([]);

/** How speech becomes text. */
export const speechSchema = z.strictObject({
  provider: z.enum(providerNames).default('local').register(settingDocs, {
    flag: 'provider',
    doc: 'Speech provider. `local` runs on this machine; `google` is Google Cloud Speech-to-Text; `gemini` is Google’s Gemini; `livekit-plugin` is any speech plugin of LiveKit Agents; `scripted` says a fixed script, for tests.',
  }),
  fallbacks: providers().register(settingDocs, {
    doc: 'Providers that take over, in this order, while the one before them fails, such as `local` behind a cloud service. Audio goes back to the first as soon as it is well again.',
  }),
  onRequest: providers().register(settingDocs, {
    doc: 'Further providers that a room may ask for by name. They are made ready at the start, as the others are.',
  }),
  minutesPerRoomAndDay: z.int().min(1).max(1_000_000).optional().register(settingDocs, {
    doc: 'How many minutes of audio the tracks of one room, together, may send to paid providers in a day (UTC). Then the next provider of the chain that costs nothing goes on; without one, captions end until the next day, and the transcript says why.',
  }),
  language: z
    .string()
    .regex(
      /^([a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*|auto)$/,
      'must be a language tag such as en or en-US, or auto',
    )
    .default('en')
    .register(settingDocs, { flag: 'language', doc: 'Language spoken in rooms that do not name one.' }),
  script: z.string().max(100_000).default('').register(settingDocs, {
    doc: 'What the engine `scripted` hears on every track, whatever is said: an utterance a line, five words a second, a second of silence between lines.',
  }),
  partials: z.boolean().default(true).register(settingDocs, {
    doc: 'Whether words are shown while they are being said. Off saves about half of the computing time.',
  }),
  partialModel: z.enum(['tiny', 'base']).default('tiny').register(settingDocs, {
    doc: 'Moonshine model for words as they are said.',
  }),
  finalModel: z.enum(['tiny', 'base']).default('base').register(settingDocs, {
    doc: 'Moonshine model for the text that is kept.',
  }),
  threads: z.int().min(1).max(64).default(1).register(settingDocs, {
    doc: 'Threads that one run of a speech model uses.',
  }),
  endSilenceMs: milliseconds(100, 5_000).default(800).register(settingDocs, {
    doc: 'Silence that ends an utterance.',
  }),
  maxUtteranceMs: milliseconds(2_000, 12_000).default(12_000).register(settingDocs, {
    doc: 'Longest utterance; one that goes on is cut at the best pause before.',
  }),
  preRollMs: milliseconds(0, 300).default(300).register(settingDocs, {
    doc: 'Sound kept from before the voice was noticed, so that first syllables are not lost.',
  }),
  local,
  google,
  gemini,
  livekitPlugin,
});
