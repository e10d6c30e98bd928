import type { Config, ProviderName } from '../../config/index.ts';
import { geminiEngine } from './gemini-engine.ts';
import { googleEngine } from './google-engine.ts';
import { localEngine } from './local-engine.ts';
import { pluginEngine } from './plugin-engine.ts';
import { scriptedEngine } from './scripted-engine.ts';
import type { EngineEntry } from './speech-engine.ts';

/** Every speech provider there is. */
export const engineTable: Record<ProviderName, EngineEntry> = {
  local: localEngine,
  google: googleEngine,
  gemini: geminiEngine,
  'livekit-plugin': pluginEngine,
  scripted: scriptedEngine,
};

/** The providers that are configured, each once: the first one, those that stand in for it, those that rooms may ask for. */
export function configuredEngines({ speech }: Pick<Config, 'speech'>): ProviderName[] {
  return [...new Set([speech.provider, ...speech.fallbacks, ...speech.onRequest])];
}
