import type { ScriptedWord } from '../../stt/providers/scripted/script.ts';

/** A word at a place of a stream, ms since the stream's audio began. */
export interface HeardWord {
  text: string;
  startMs: number;
  endMs: number;
  /** Who says it, where a double tells speakers apart. */
  speaker?: string;
}

/** The ears of a double at one stream. */
export interface Hearing {
  /** Takes consecutive 16 kHz audio; gives the words of which the last sound was in it. */
  hear(pcm: Int16Array): HeardWord[];
}

export type MakeHearing = () => Hearing;

/** Hears given words at given times of every stream, whatever the audio is. */
export function scriptedHearing(words: readonly (ScriptedWord & { speaker?: string })[]): MakeHearing {
  const sorted = words.toSorted((a, b) => a.endMs - b.endMs);
  return () => {
    let heard = 0;
    let next = 0;
    return {
      hear(pcm) {
        heard += pcm.length;
        const first = next;
        while (next < sorted.length && (sorted[next]?.endMs ?? 0) * 16 <= heard) next += 1;
        return sorted.slice(first, next);
      },
    };
  };
}
