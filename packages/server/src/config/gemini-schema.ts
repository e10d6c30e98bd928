import { z } from 'zod';
import { settingDocs, url } from './setting-doc.ts';

/** Gemini, over the Developer API or Vertex AI. */
export const geminiSchema = z.strictObject({
  apiKey: z.string().min(1).optional().register(settingDocs, {
    env: 'GEMINI_API_KEY',
    secret: 'all',
    doc: 'Key of the Gemini Developer API, from Google AI Studio.',
  }),
  mode: z.enum(['live', 'segment']).default('live').register(settingDocs, {
    doc: '`live` streams audio to a transcription model; `segment` sends each utterance when it is over, for models without live transcription, and shows no words before.',
  }),
  model: z
    .string()
    .regex(/^[A-Za-z0-9._/-]{1,128}$/, 'must be the name of a model')
    .optional()
    .register(settingDocs, {
      defaultText: '`gemini-3.5-transcribe-live`, or `gemini-3.5-transcribe` for segments',
      doc: 'Model of Gemini.',
    }),
  vertex: z.boolean().default(false).register(settingDocs, {
    doc: 'Use Vertex AI with `speech.google.credentials` and `speech.google.project` instead of an API key.',
  }),
  location: z
    .string()
    .regex(/^[a-z0-9-]{2,40}$/, 'must be global or a region such as europe-west4')
    .default('global')
    .register(settingDocs, { doc: 'Region of Vertex AI.' }),
  endpoint: url(['http:', 'https:']).optional().register(settingDocs, {
    defaultText: 'Google’s own',
    doc: 'Another server that speaks Gemini’s protocol, such as a proxy.',
  }),
});
