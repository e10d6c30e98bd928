import type { SttCapabilities } from '../../stt.ts';

/** A speech plugin of LiveKit Agents, and how it is made. */
export interface PluginSettings {
  /** Name on npm, such as `@livekit/agents-plugin-deepgram`. */
  package: string;
  /** Folder in whose `node_modules` it is installed. */
  folder: string;
  /** Given to the plugin's `STT` as they are. */
  options: Record<string, unknown>;
  /** Name of the plugin's option for words to listen for; null when it has none. */
  hintsOption: string | null;
}

export function pluginCapabilities({ hintsOption }: Pick<PluginSettings, 'hintsOption'>): SttCapabilities {
  return {
    partials: true,
    // Where the plugin tells them.
    wordTimes: 'measured',
    confidence: true,
    diarization: false,
    // Each plugin has its own option for that.
    autoLanguage: true,
    hints: hintsOption !== null,
    languages: 'any',
    maxSessionMs: null,
    maxChunkBytes: null,
    needsVad: false,
    replayRate: 1.9,
    parkAfterSilenceMs: 10_000,
  };
}
