import type { SttFinal, SttPartial } from '../stt.ts';
import { type Stretch, withoutOverlap } from './own-part.ts';

/** Texts remembered to find what two streams heard twice. */
const maxRemembered = 20;
/** Two texts this close may hold the same words, samples. */
const nearSamples = 2.5 * 16_000;

/** What was said lately, to find words that two streams heard on either side of a seam. */
export class TextMemory {
  readonly #said: { startSample: number; endSample: number; text: string }[] = [];

  remember({ startSample, endSample, text }: SttFinal): void {
    this.#said.push({ startSample, endSample, text });
    if (this.#said.length > maxRemembered) this.#said.shift();
  }

  /** The text of `part`, what is left of `event` inside `own`, without words that are in a neighbouring text. */
  withoutRepeats(event: SttFinal, part: SttFinal, own: Stretch): string {
    const text = part.text.trim();
    // With the engine's own word times it is exact already.
    const isExact =
      part.words !== undefined && part.words.length > 0 && !part.words.some((word) => word.estimated);
    if (isExact) return text;
    const before = event.startSample < own.startSample ? this.before(own.startSample) : '';
    const after = event.endSample > own.endSample ? this.#after(own.endSample) : '';
    return before === '' && after === '' ? text : withoutOverlap(text, before, after);
  }

  /** A partial without what is final already, before `committed`. */
  ownPartial(event: SttPartial, committed: number): SttPartial {
    if (event.startSample >= committed) return event;
    const text = withoutOverlap(event.text, this.before(committed), '');
    const stableLength = Math.max(0, event.stableLength - (event.text.length - text.length));
    return { ...event, text, stableLength, startSample: committed };
  }

  /** The text that ends shortly before `sample`; empty when there is none. */
  before(sample: number): string {
    const near = this.#said.filter(
      (one) => one.endSample <= sample + 1 && sample - one.endSample < nearSamples,
    );
    return near.sort((a, b) => a.endSample - b.endSample).at(-1)?.text ?? '';
  }

  #after(sample: number): string {
    const near = this.#said.filter(
      (one) => one.startSample >= sample - 1 && one.startSample - sample < nearSamples,
    );
    return near.sort((a, b) => a.startSample - b.startSample)[0]?.text ?? '';
  }
}
