import { ToneProvider } from '../tone-speech.ts';
import type { HeardWord, MakeHearing } from './hearing.ts';

const wordMs = 240;

/** Hears the words that are in the sound, wherever a stream begins: what is cut, lost or sent twice shows. */
export function toneHearing(): MakeHearing {
  return () => {
    let words: HeardWord[] = [];
    let position = 0;
    const options = { trackId: 'double', language: 'en', hints: [], startSample: 0 };
    const ear = new ToneProvider().open({ ...options, wantPartials: true, wantWords: false }, (event) => {
      if (event.type !== 'partial') return;
      const text = event.text.split(' ').at(-1) ?? '';
      const endMs = event.endSample / 16;
      words.push({ text, startMs: Math.max(0, endMs - wordMs), endMs });
    });
    return {
      hear(pcm) {
        ear.write(pcm, position, false);
        position += pcm.length;
        const heard = words;
        words = [];
        return heard;
      },
    };
  };
}
