import { z } from 'zod';
import { settingDocs } from './setting-doc.ts';

const languageTag = z
  .string()
  .regex(/^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*$/, 'must be a language tag such as en or en-US');

/** Google Cloud Speech-to-Text. */
export const googleSchema = z.strictObject({
  credentials: z.string().min(1).optional().register(settingDocs, {
    env: 'GOOGLE_APPLICATION_CREDENTIALS',
    defaultText: 'Application Default Credentials',
    doc: 'Key file of a Google service account that may use Speech-to-Text (role Cloud Speech Client).',
  }),
  project: z
    .string()
    .regex(/^[a-z0-9:.-]{1,63}$/, 'must be the id of a Google Cloud project')
    .optional()
    .register(settingDocs, {
      env: 'GOOGLE_CLOUD_PROJECT',
      defaultText: 'the one of the credentials',
      doc: 'Google Cloud project that is charged.',
    }),
  apiVersion: z.enum(['v2', 'v1']).default('v2').register(settingDocs, {
    doc: 'Version of Google’s Speech-to-Text.',
  }),
  location: z
    .string()
    .regex(/^[a-z0-9-]{2,40}$/, 'must be global, us, eu or a region such as europe-west4')
    .default('global')
    .register(settingDocs, {
      doc: 'Where Google processes the audio: `global`, `us`, `eu` or a region such as `europe-west4`. Not every location serves every model; `chirp_3` is served in `us` and `eu`, not in `global`.',
    }),
  model: z
    .string()
    .regex(/^[a-z0-9_-]{1,64}$/, 'must be the name of a model such as long or chirp_3')
    .optional()
    .register(settingDocs, {
      defaultText: '`long` with v2, `latest_long` with v1',
      doc: 'Google’s model. `chirp_3` (v2) finds the language by itself, but does not say when each word was said, nor how sure it is.',
    }),
  languages: z.array(languageTag).max(3).default([]).register(settingDocs, {
    doc: 'Languages that Google is to expect beside the one of the room, at most three. With the language `auto` and another model than Chirp, the ones to choose from.',
  }),
  punctuation: z.boolean().default(true).register(settingDocs, {
    doc: 'Whether Google adds punctuation.',
  }),
  wordTimes: z.boolean().default(true).register(settingDocs, {
    doc: 'Whether Google is asked when each word was said. It makes the places exact at which streams take over from each other.',
  }),
  profanityFilter: z.boolean().default(false).register(settingDocs, {
    doc: 'Whether Google replaces swear words by asterisks.',
  }),
  enhanced: z.boolean().default(false).register(settingDocs, {
    doc: 'Whether the enhanced form of a model is used, at a higher price; v1 only.',
  }),
  diarization: z.boolean().default(false).register(settingDocs, {
    doc: 'Whether the speakers of one track are told apart, as when several people share a microphone. Not with Chirp models.',
  }),
  hintBoost: z.number().min(0).max(20).default(10).register(settingDocs, {
    doc: 'How much the words and names that a room expects (`hints`) are preferred.',
  }),
  maxStreams: z.int().min(1).max(100_000).optional().register(settingDocs, {
    doc: 'How many streams to Google all processes together may have open at once, as the quota of the project allows. Every speaker has one while they talk, and for moments two.',
  }),
  endpoint: z.string().min(1).optional().register(settingDocs, {
    defaultText: 'Google’s own for the location',
    doc: 'Another server that speaks Google’s protocol, `HOST` or `HOST:PORT`; `http://127.0.0.1:PORT` for one without TLS on this machine.',
  }),
});
