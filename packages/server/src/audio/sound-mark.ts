import { samplesPerMs } from './track-clock.ts';

/**
 * What a track sounded like around a moment, told by how loud each of a few pitches was: enough to find the moment again
 * in the same audio. Words might be guessed from it, so it is for those only who may read the captions.
 */
export interface SoundMark {
  /** Position behind it, on the clock of the record. */
  endSample: number;
  /** Levels as bytes in base64: one for each pitch of each block, in dB above the quietest that counts. */
  levels: string;
}

const sampleRate = samplesPerMs * 1_000;
/** Audio is looked at this often: as exact as places are found. */
const blockMs = 10;
const blockSamples = blockMs * samplesPerMs;
/** Each look takes in two blocks under a Hann window, so that a pitch is heard as itself wherever its wave begins. */
const window = Float64Array.from(
  { length: 2 * blockSamples },
  (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / (2 * blockSamples)),
);
/** Pitches of speech, a window's resolution (100 Hz) apart where its energy is. */
const pitchesHz = [200, 300, 400, 500, 600, 800, 1_000, 1_200, 1_400, 1_700, 2_100, 2_700];
const pitches = pitchesHz.length;
const turns = pitchesHz.map((hz) => 2 * Math.cos((2 * Math.PI * hz) / sampleRate));
/** What is quieter is noise of the line, which differs from one listener to the other. */
const floorDb = -60;

/** Shorter pieces of sound are found in many places. */
const leastBlocks = 600 / blockMs;
/** Levels have to differ by this much over time, dB: a steady sound could be anywhere. */
const leastContrastDb = 3;
/**
 * Two who hear the same over good networks agree to 0.85 and more, and over bad ones, which drop and stretch sound, to 0.5;
 * other speech reaches 0.5 as well. So a place is believed that is much alike, or much more so than any other this far away.
 */
const certain = { likeness: 0.75, lead: 0.1 };
const likely = { likeness: 0.5, lead: 0.2 };
const elsewhereBlocks = 60 / blockMs;

/** So much of the newest audio makes a mark. */
export const markMs = 1_536;
const rememberedSamples = markMs * samplesPerMs;

/** The newest audio of a track, as long as nothing is missing in it, for the mark that may be asked for. */
export class SoundMemory {
  readonly #pcm = new Int16Array(rememberedSamples);
  #length = 0;
  #endSample = 0;

  /** Audio that begins at `firstSample`. */
  add(pcm: Int16Array, firstSample: number): void {
    if (firstSample !== this.#endSample) this.#length = 0;
    const newest = pcm.subarray(-rememberedSamples);
    this.#pcm.copyWithin(0, newest.length);
    this.#pcm.set(newest, rememberedSamples - newest.length);
    this.#length = Math.min(rememberedSamples, this.#length + newest.length);
    this.#endSample = firstSample + pcm.length;
  }

  /** Null when there is too little to know the place by. */
  mark(): SoundMark | null {
    return markOf(this.#pcm.subarray(rememberedSamples - this.#length), this.#endSample);
  }
}

/** The mark of this audio, 16 kHz mono, that ends at `endSample`; null when there is too little to know it by. */
export function markOf(pcm: Int16Array, endSample: number): SoundMark | null {
  const whole = pcm.length - (pcm.length % blockSamples);
  // The end is what has to be found again.
  const levels = levelsOf(pcm.subarray(pcm.length - whole));
  if (blocksOf(levels) < leastBlocks || contrastOf(levels) < leastContrastDb) return null;
  return { endSample, levels: Buffer.from(levels).toString('base64') };
}

/**
 * Where the mark ends in the same audio as somebody else heard it: a position on the clock on which `firstSample` is that
 * of `pcm`. The last of the mark need not have been heard yet, nor its beginning. Null when it is not found, or more than
 * once.
 */
export function findMark(mark: SoundMark, pcm: Int16Array, firstSample: number): number | null {
  const wanted = new Uint8Array(Buffer.from(mark.levels, 'base64'));
  const heard = levelsOf(pcm);
  const blocks = blocksOf(wanted);
  if (Math.min(blocks, blocksOf(heard)) < leastBlocks) return null;
  const earliest = leastBlocks - blocks;
  const likeness: number[] = [];
  for (let begin = earliest; begin <= blocksOf(heard) - leastBlocks; begin++) {
    likeness.push(likenessAt(wanted, heard, begin));
  }
  const top = Math.max(...likeness);
  const best = likeness.indexOf(top);
  const others = likeness.filter((_, index) => Math.abs(index - best) > elsewhereBlocks);
  const lead = top - Math.max(0, ...others);
  if (![certain, likely].some((least) => top >= least.likeness && lead >= least.lead)) return null;
  return firstSample + (earliest + best + blocks + 1) * blockSamples;
}

function levelsOf(pcm: Int16Array): Uint8Array {
  const blocks = Math.max(0, Math.floor(pcm.length / blockSamples) - 1);
  const levels = new Uint8Array(blocks * pitches);
  for (let block = 0; block < blocks; block++) {
    const audio = windowed(pcm, block * blockSamples);
    for (const [pitch, turn] of turns.entries()) levels[block * pitches + pitch] = levelOf(audio, turn);
  }
  return levels;
}

function windowed(pcm: Int16Array, from: number): Float64Array {
  return window.map((weight, i) => (weight * (pcm[from + i] ?? 0)) / 32_768);
}

/** Level of one pitch by Goertzel's algorithm, dB above the floor, where 0 dB is a full-scale sine. */
function levelOf(audio: Float64Array, turn: number): number {
  let before = 0;
  let last = 0;
  for (const sample of audio) {
    const next = sample + turn * last - before;
    before = last;
    last = next;
  }
  const power = before * before + last * last - turn * before * last;
  const db = 10 * Math.log10(power / (audio.length / 4) ** 2 + 1e-12);
  return Math.max(0, Math.round(db - floorDb));
}

/** How much levels differ from what they are on average at their pitch, dB (root of the mean square). */
function contrastOf(levels: Uint8Array): number {
  const blocks = blocksOf(levels);
  let sum = 0;
  for (let pitch = 0; pitch < pitches; pitch++) {
    const mean = meanOf(levels, pitch, 0, blocks);
    for (let block = 0; block < blocks; block++) sum += (levelAt(levels, block, pitch) - mean) ** 2;
  }
  return Math.sqrt(sum / levels.length);
}

/**
 * Correlation (Pearson's, over all pitches, each about its own mean) where both overlap when the mark begins at `begin`.
 * The end of the mark counts most: if one of the two missed something in between, the end is what has to fit.
 */
function likenessAt(wanted: Uint8Array, heard: Uint8Array, begin: number): number {
  const from = Math.max(0, -begin);
  const to = Math.min(blocksOf(wanted), blocksOf(heard) - begin);
  let [both, ofWanted, ofHeard] = [0, 0, 0];
  for (let pitch = 0; pitch < pitches; pitch++) {
    const wantedMean = meanOf(wanted, pitch, from, to);
    const heardMean = meanOf(heard, pitch, begin + from, begin + to);
    for (let block = from; block < to; block++) {
      const a = levelAt(wanted, block, pitch) - wantedMean;
      const b = levelAt(heard, begin + block, pitch) - heardMean;
      both += block * a * b;
      ofWanted += block * a * a;
      ofHeard += block * b * b;
    }
  }
  if (ofWanted === 0 || ofHeard === 0) return 0;
  // What overlaps little is alike by chance more often.
  const overlap = (to - from) / Math.min(blocksOf(wanted), blocksOf(heard));
  return (Math.sqrt(overlap) * both) / Math.sqrt(ofWanted * ofHeard);
}

function meanOf(levels: Uint8Array, pitch: number, from: number, to: number): number {
  let sum = 0;
  for (let block = from; block < to; block++) sum += levelAt(levels, block, pitch);
  return sum / (to - from);
}

const blocksOf = (levels: Uint8Array) => levels.length / pitches;
const levelAt = (levels: Uint8Array, block: number, pitch: number) => levels[block * pitches + pitch] ?? 0;
