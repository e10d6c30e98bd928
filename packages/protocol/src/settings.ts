import { z } from 'zod';

/** Where the audio goes that one speech provider is given. */
export const speechRouteSchema = z.object({
  /** Name of the provider in the settings. */
  provider: z.string(),
  /** `here`: it stays on the machine of the worker; `service`: it goes to `endpoint`; `plugin`: where the plugin sends it. */
  audio: z.enum(['here', 'service', 'plugin']),
  /** The service, or the package of the plugin; null where there is none. */
  service: z.string().nullable(),
  /** Region that was asked for; null where the service has none, or chooses. */
  region: z.string().nullable(),
  /** Host that audio is sent to; null where it is not known or there is none. */
  endpoint: z.string().nullable(),
  model: z.string().nullable(),
});
export type SpeechRoute = z.infer<typeof speechRouteSchema>;

/** How the server is set, as far as its users should know. Holds no secret. */
export const settingsViewSchema = z.object({
  version: z.string(),
  speech: z.object({
    language: z.string(),
    /** The provider of every room, then those that stand in for it, in order. */
    chain: z.array(speechRouteSchema),
    /** Further ones that a room may ask for. */
    onRequest: z.array(speechRouteSchema),
  }),
  /** Where transcripts are kept; `host` is null in a folder of the server. */
  store: z.object({ kind: z.enum(['pglite', 'postgres']), host: z.string().nullable() }),
  /** What processes share; `host` is null in one process. */
  registry: z.object({ kind: z.enum(['memory', 'redis']), host: z.string().nullable() }),
  /** Where the server reaches LiveKit, and where browsers do. */
  livekit: z.object({ url: z.string(), publicUrl: z.string() }),
});
export type SettingsView = z.infer<typeof settingsViewSchema>;
