import type { protos } from '@google-cloud/speech';
import type { SttOpenOptions } from '../../stt.ts';
import { type GoogleSettings, isChirp, modelOf } from './google-settings.ts';

type V1Request = protos.google.cloud.speech.v1.IStreamingRecognizeRequest;
type V2Request = protos.google.cloud.speech.v2.IStreamingRecognizeRequest;
export type GoogleRequest = V1Request | V2Request;

/** Phrases that the service takes at most. */
const maxPhrases = 1_200;
const maxPhraseLength = 100;
/** Who may be told apart at most. */
const maxSpeakers = 6;

/** What a stream is opened with, apart from the settings. `languages` as Google writes them, the first one is preferred. */
export interface StreamWish extends Pick<SttOpenOptions, 'hints' | 'wantPartials' | 'wantWords'> {
  languages: readonly string[];
}

/** The message that opens a stream. `project` is used by v2 only. */
export function openingMessage(settings: GoogleSettings, project: string, wish: StreamWish): GoogleRequest {
  return settings.apiVersion === 'v1' ? openingV1(settings, wish) : openingV2(settings, project, wish);
}

export function audioMessage({ apiVersion }: GoogleSettings, audio: Uint8Array): GoogleRequest {
  return apiVersion === 'v1' ? { audioContent: audio } : { audio };
}

function openingV1(settings: GoogleSettings, wish: StreamWish): V1Request {
  const [languageCode = 'en-US', ...alternativeLanguageCodes] = wish.languages;
  const phrases = phrasesOf(wish.hints);
  return {
    streamingConfig: {
      interimResults: wish.wantPartials,
      config: {
        encoding: 'LINEAR16',
        sampleRateHertz: 16_000,
        audioChannelCount: 1,
        languageCode,
        ...(alternativeLanguageCodes.length > 0 && { alternativeLanguageCodes }),
        model: modelOf(settings),
        useEnhanced: settings.enhanced,
        profanityFilter: settings.profanityFilter,
        enableAutomaticPunctuation: settings.punctuation,
        enableWordTimeOffsets: wantsWordTimes(settings, wish),
        enableWordConfidence: wish.wantWords,
        ...(settings.diarization && {
          diarizationConfig: { enableSpeakerDiarization: true, maxSpeakerCount: maxSpeakers },
        }),
        ...(phrases.length > 0 && {
          adaptation: {
            phraseSets: [{ phrases: phrases.map((value) => ({ value })), boost: settings.hintBoost }],
          },
        }),
      },
    },
  };
}

function openingV2(settings: GoogleSettings, project: string, wish: StreamWish): V2Request {
  const chirp = isChirp(settings);
  const phrases = phrasesOf(wish.hints);
  return {
    recognizer: `projects/${project}/locations/${settings.location}/recognizers/_`,
    streamingConfig: {
      streamingFeatures: { interimResults: wish.wantPartials },
      config: {
        explicitDecodingConfig: { encoding: 'LINEAR16', sampleRateHertz: 16_000, audioChannelCount: 1 },
        model: modelOf(settings),
        languageCodes: [...wish.languages],
        features: {
          profanityFilter: settings.profanityFilter,
          enableAutomaticPunctuation: settings.punctuation,
          enableWordTimeOffsets: wantsWordTimes(settings, wish),
          enableWordConfidence: wish.wantWords && !chirp,
          ...(settings.diarization && {
            diarizationConfig: { minSpeakerCount: 1, maxSpeakerCount: maxSpeakers },
          }),
        },
        ...(phrases.length > 0 && {
          adaptation: {
            phraseSets: [
              {
                inlinePhraseSet: { phrases: phrases.map((value) => ({ value })), boost: settings.hintBoost },
              },
            ],
          },
        }),
      },
    },
  };
}

/** Speakers are told apart by their words, so those are needed even when nobody wants them. */
function wantsWordTimes(settings: GoogleSettings, wish: StreamWish): boolean {
  return (wish.wantWords || settings.diarization) && settings.wordTimes && !isChirp(settings);
}

function phrasesOf(hints: readonly string[]): string[] {
  return hints.slice(0, maxPhrases).map((hint) => hint.slice(0, maxPhraseLength));
}
