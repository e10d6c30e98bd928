import type { SpeechRoute } from '@dialoglens/protocol';
import { describe, expect, it } from 'vitest';
import { audioSentence, audioVerdict } from './where-audio-goes.ts';

const local: SpeechRoute = {
  provider: 'local',
  audio: 'here',
  service: null,
  region: null,
  endpoint: null,
  model: 'Moonshine base',
};
const google: SpeechRoute = {
  provider: 'google',
  audio: 'service',
  service: 'Google Cloud Speech-to-Text',
  region: 'europe-west4',
  endpoint: 'europe-west4-speech.googleapis.com',
  model: 'long',
};
const plugin: SpeechRoute = { ...local, provider: 'livekit-plugin', audio: 'plugin', service: '@x/plugin' };

describe('where audio goes', () => {
  it.each([
    [local, 'Audio stays on the machine of the worker (Moonshine base).'],
    [{ ...local, model: null }, 'Audio stays on the machine of the worker.'],
    [
      google,
      'Audio goes to Google Cloud Speech-to-Text, region europe-west4, at europe-west4-speech.googleapis.com.',
    ],
    [
      { ...google, region: 'global', endpoint: 'speech.googleapis.com' },
      'Audio goes to Google Cloud Speech-to-Text, in a region that the service chooses, at speech.googleapis.com.',
    ],
    [{ ...google, region: null, endpoint: null }, 'Audio goes to Google Cloud Speech-to-Text.'],
    [plugin, 'Audio goes wherever the plugin @x/plugin sends it; its documentation says where.'],
  ])('%# is said in a sentence', (route, sentence) => {
    expect(audioSentence(route)).toBe(sentence);
  });

  it.each([
    [[local], [], 'stays'],
    [[google, local], [], 'leaves'],
    [[plugin], [], 'leaves'],
    [[local, google], [], 'may leave'],
    [[local], [plugin], 'may leave'],
  ] as const)('%# has a verdict', (chain, onRequest, verdict) => {
    const speech = { language: 'en', chain: [...chain], onRequest: [...onRequest] };
    expect(audioVerdict(speech)).toBe(verdict);
  });
});
