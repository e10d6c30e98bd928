import { ToneProvider, toneSpeech, toneWords } from '../tone-speech.ts';
import type { HeardWord, MakeHearing } from './hearing.ts';

const wordMs = 240;

/**
 * Hears words made of tones in the audio itself, so that a word which was cut, lost or sent twice shows. Words are
 * numbers; half a word is `?`.
 */
export function toneHearing(): MakeHearing {
  return () => {
    let words: HeardWord[] = [];
    let known = 0;
    let heard = 0;
    const options = {
      trackId: 'double',
      language: 'en',
      hints: [],
      startSample: 0,
      wantPartials: true,
      wantWords: false,
    };
    const ears = new ToneProvider().open(options, (event) => {
      if (event.type === 'final') known = 0;
      if (event.type !== 'partial') return;
      const said = event.text.split(' ');
      const endMs = event.endSample / 16;
      // Later words begin after those before them, whatever the ears make of it.
      const startMs = Math.max(endMs - wordMs, words.at(-1)?.endMs ?? 0);
      for (const text of said.slice(known)) words.push({ text, startMs, endMs });
      known = said.length;
    });
    return {
      hear(pcm) {
        words = [];
        ears.write(pcm, heard, true);
        heard += pcm.length;
        return words;
      },
    };
  };
}

export interface ToneTalk {
  /** 16 kHz */
  pcm: Int16Array;
  /** What is said, in order. */
  words: string[];
}

/** Sentences made of tones, which differ from each other for more than a minute: no word is mistaken for a later one. */
export function toneTalk(options: {
  sentences: number;
  wordsEach: number;
  pauseMs: number;
  /** Where in the list of words it begins. */
  from?: number;
}): ToneTalk {
  const { sentences, wordsEach, pauseMs, from = 0 } = options;
  const pause = new Int16Array(pauseMs * 16);
  const pieces: Int16Array[] = [];
  const words: string[] = [];
  for (let i = 0; i < sentences; i++) {
    const said = Array.from({ length: wordsEach }, (_, k) => {
      return toneWords[(from + i * wordsEach + k) % toneWords.length] ?? 0;
    });
    words.push(...said.map(String));
    pieces.push(toneSpeech(said, gapMs), pause);
  }
  const pcm = new Int16Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    pcm.set(piece, at);
    at += piece.length;
  }
  return { pcm, words };
}

/** Silence after each word. */
const gapMs = 160;
