import { z } from 'zod';
import { settingDocs } from './setting-doc.ts';

/** An object; in the environment as JSON. */
const options = z.preprocess(
  (value, context) => {
    if (typeof value !== 'string') return value;
    try {
      return JSON.parse(value) as unknown;
    } catch {
      context.addIssue({ code: 'custom', message: 'must be JSON, such as {"model":"nova-3"}' });
      return z.NEVER;
    }
  },
  z.record(z.string(), z.unknown()),
);

/** A speech plugin of LiveKit Agents. */
export const pluginSchema = z.strictObject({
  package: z
    .string()
    .regex(/^(@[a-z0-9._-]+\/)?[a-z0-9._-]+$/, 'must be the name of an npm package')
    .optional()
    .register(settingDocs, {
      doc: 'Speech plugin of LiveKit Agents for the provider `livekit-plugin`, such as `@livekit/agents-plugin-deepgram`.',
    }),
  folder: z.string().min(1).optional().register(settingDocs, {
    defaultText: '`plugins` in `dataDir`',
    doc: 'Folder in whose `node_modules` the plugin is installed.',
  }),
  options: options.default({}).register(settingDocs, {
    secret: 'all',
    defaultText: 'empty',
    doc: 'Options of the plugin’s `STT`, as its own documentation names them; in the environment as JSON.',
  }),
  hintsOption: z
    .string()
    .regex(/^[A-Za-z0-9_]+$/, 'must be the name of an option')
    .optional()
    .register(settingDocs, {
      doc: 'Name of the plugin’s option for words to listen for, such as `keyterm` of Deepgram; a room’s hints are given to it.',
    }),
});
