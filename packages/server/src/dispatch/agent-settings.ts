import type { DemandSettings } from '@dialoglens/protocol';
import type { Demand } from '../store/store.ts';

/** The settings an agent is given: those of the wish, with a language in any case. */
export function agentSettings(demand: Demand, defaults: { language: string }): DemandSettings {
  return { ...demand.settings, language: demand.settings.language ?? defaults.language };
}

/** One word for what settings say, to notice that they changed. The order of their keys does not matter. */
export function settingsKey(settings: DemandSettings): string {
  return JSON.stringify(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)));
}
