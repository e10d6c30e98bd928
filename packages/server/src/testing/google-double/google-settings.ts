import type { GoogleSettings } from '../../stt/providers/google/google-settings.ts';
import type { GoogleDouble } from './google-double.ts';

/** Settings of a provider that talks to the double; v2 unless `changes` say otherwise. */
export function googleSettings(
  double: Pick<GoogleDouble, 'endpoint'>,
  changes: Partial<GoogleSettings> = {},
): GoogleSettings {
  return {
    apiVersion: 'v2',
    location: 'global',
    project: 'test',
    languages: [],
    punctuation: true,
    wordTimes: true,
    profanityFilter: false,
    enhanced: false,
    diarization: false,
    hintBoost: 10,
    endpoint: double.endpoint,
    ...changes,
  };
}
