/** Beginnings of speech kept at most; more than an utterance has. */
const maxBeginnings = 64;

/** Remembers where speech began, for answers that do not say where their words are. Samples of the track's clock. */
export class UtteranceTimes {
  #beginnings: number[] = [];
  #isSpeaking = false;

  note(firstSample: number, speech: boolean): void {
    if (speech && !this.#isSpeaking) {
      this.#beginnings.push(firstSample);
      if (this.#beginnings.length > maxBeginnings) this.#beginnings.shift();
    }
    this.#isSpeaking = speech;
  }

  /** Where the utterance after `floor` begins: with the first speech that begins after it, if any does before `end`. */
  beginAfter(floor: number, end: number): number {
    this.#beginnings = this.#beginnings.filter((sample) => sample >= floor);
    const [first] = this.#beginnings;
    return first !== undefined && first < end ? first : floor;
  }
}
