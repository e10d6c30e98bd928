/** Doubles of speech services and what is heard over them, for tests with a real LiveKit. */
export { Chance } from './chance.ts';
export { startGoogleDouble } from './google-double/google-double.ts';
export { googleSpeech } from './google-double/google-speech.ts';
export { talkOverDrops } from './provider-double/drops.ts';
export { talkOverOutage } from './provider-double/outage.ts';
export { toneHearing } from './provider-double/tone-hearing.ts';
