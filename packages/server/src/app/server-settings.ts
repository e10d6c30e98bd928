import type { SettingsView, SpeechRoute } from '@dialoglens/protocol';
import type { Config, ProviderName } from '../config/index.ts';
import { geminiModel } from '../stt/providers/gemini/gemini-settings.ts';
import { googleAddress, modelOf } from '../stt/providers/google/google-settings.ts';
import { version } from './version.ts';

/** How this server is set, for its users: what leaves the machine and where to. Holds no secret. */
export function settingsView(config: Config, livekitUrl: string): SettingsView {
  const { speech, databaseUrl, redisUrl } = config;
  const routeOf = (provider: ProviderName) => routes[provider](speech);
  const chain = new Set([speech.provider, ...speech.fallbacks]);
  const further = new Set(speech.onRequest.filter((provider) => !chain.has(provider)));
  return {
    version,
    speech: {
      language: speech.language,
      chain: [...chain].map(routeOf),
      onRequest: [...further].map(routeOf),
    },
    store: { kind: databaseUrl === undefined ? 'pglite' : 'postgres', host: hostOf(databaseUrl) },
    registry: { kind: redisUrl === undefined ? 'memory' : 'redis', host: hostOf(redisUrl) },
    livekit: {
      url: withoutSecrets(livekitUrl),
      publicUrl: withoutSecrets(config.livekit.publicUrl ?? livekitUrl),
    },
  };
}

type Speech = Config['speech'];

const routes: Record<ProviderName, (speech: Speech) => SpeechRoute> = {
  local: ({ local, finalModel }) =>
    here('local', local.model === undefined ? `Moonshine ${finalModel}` : null),
  scripted: () => here('scripted', null),
  google: ({ google }) => ({
    provider: 'google',
    audio: 'service',
    service: 'Google Cloud Speech-to-Text',
    region: google.location,
    endpoint: googleAddress(google).host,
    model: modelOf(google),
  }),
  gemini: ({ gemini }) => ({
    provider: 'gemini',
    audio: 'service',
    service: gemini.vertex ? 'Gemini on Vertex AI' : 'Gemini',
    region: gemini.vertex ? gemini.location : null,
    endpoint: hostOf(gemini.endpoint) ?? geminiHost(gemini),
    model: geminiModel(gemini),
  }),
  'livekit-plugin': ({ livekitPlugin }) => ({
    provider: 'livekit-plugin',
    audio: 'plugin',
    service: livekitPlugin.package ?? null,
    region: null,
    endpoint: null,
    model: null,
  }),
};

function here(provider: string, model: string | null): SpeechRoute {
  return { provider, audio: 'here', service: null, region: null, endpoint: null, model };
}

/** Where the client of Google goes when it is told no other address. */
function geminiHost({ vertex, location }: Speech['gemini']): string {
  if (!vertex) return 'generativelanguage.googleapis.com';
  if (location === 'us' || location === 'eu') return `aiplatform.${location}.rep.googleapis.com`;
  return location === 'global' ? 'aiplatform.googleapis.com' : `${location}-aiplatform.googleapis.com`;
}

function hostOf(url: string | undefined): string | null {
  return url === undefined ? null : new URL(url).host;
}

/** Only what says where it is: no user, password, query or fragment. */
function withoutSecrets(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
}
