import type { SttCapabilities } from '../../stt.ts';
import type { ModelFolder } from './model-folder.ts';
import { kindSpec } from './model-kinds.ts';

/** What the engine can do with Moonshine, the model it comes with. */
export const moonshineCapabilities: SttCapabilities = {
  partials: true,
  wordTimes: 'estimated',
  confidence: false,
  diarization: false,
  autoLanguage: false,
  hints: false,
  languages: ['en'],
  maxSessionMs: null,
  maxChunkBytes: null,
  needsVad: true,
  // One core decodes about twelve seconds of speech a second; leave room for the live tracks.
  replayRate: 8,
  parkAfterSilenceMs: null,
};

/** What the engine can do with the model of a folder. @param language what the model is told, or empty */
export function folderCapabilities(
  { kind, languages, detectsLanguage }: Pick<ModelFolder, 'kind' | 'languages' | 'detectsLanguage'>,
  language: string,
): SttCapabilities {
  return {
    ...moonshineCapabilities,
    wordTimes: kindSpec(kind).hasTimes ? 'measured' : 'estimated',
    languages: language === '' ? languages : [language],
    // A model that does not say which languages it knows takes what it gets.
    autoLanguage: detectsLanguage || languages === 'any' || languages.length === 1,
    // Nobody knows how large the model is.
    replayRate: 4,
  };
}
