/** Classes of the speakers' colours; `styles.css` has what they look like in each theme. */
const textClasses = [
  'text-speaker-1',
  'text-speaker-2',
  'text-speaker-3',
  'text-speaker-4',
  'text-speaker-5',
  'text-speaker-6',
  'text-speaker-7',
  'text-speaker-8',
] as const;
const fillClasses = [
  'fill-speaker-1',
  'fill-speaker-2',
  'fill-speaker-3',
  'fill-speaker-4',
  'fill-speaker-5',
  'fill-speaker-6',
  'fill-speaker-7',
  'fill-speaker-8',
] as const;

/** How many speakers have a colour of their own; further ones share. */
export const colourCount = textClasses.length;

/**
 * Gives speakers their colours. Somebody gets the colour their identity asks for wherever it is free, so that most people
 * look the same from meeting to meeting; whoever comes later makes way.
 */
export class SpeakerColours {
  readonly #given = new Map<string, number>();

  /** Number of the speaker's colour, from 0; it stays the same. */
  of(identity: string): number {
    const known = this.#given.get(identity);
    if (known !== undefined) return known;
    const taken = new Set(this.#given.values());
    let colour = hash(identity) % colourCount;
    if (taken.size < colourCount) while (taken.has(colour)) colour = (colour + 1) % colourCount;
    this.#given.set(identity, colour);
    return colour;
  }

  textClass(identity: string): string {
    return textClasses[this.of(identity)] ?? '';
  }

  fillClass(identity: string): string {
    return fillClasses[this.of(identity)] ?? '';
  }
}

/** FNV-1a: short, and spreads short names well. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return value;
}
