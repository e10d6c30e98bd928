/** What must become of a room: `unknown` while a wish may or may not have got through. */
type Expectation = 'transcribed' | 'left alone' | 'unknown';

/**
 * What people asked for and were promised. A wish that was answered must be kept, whatever died since; one that was not
 * answered may be or not.
 */
export class Wishes {
  readonly #rooms = new Map<string, { expected: Expectation; turn: number }>();

  readonly #refused = new Set<string>();
  readonly #asked = new Set<string>();
  /** How many questions about a room are still to be answered. */
  readonly #unanswered = new Map<string, number>();

  expected(room: string): Expectation {
    return this.#rooms.get(room)?.expected ?? 'unknown';
  }

  /** From now on, whatever was under way before. */
  set(room: string, expected: Expectation): void {
    this.#rooms.set(room, { expected, turn: (this.#rooms.get(room)?.turn ?? 0) + 1 });
  }

  /** A room begins whose metadata asks. Whether somebody's no from before was meant for it, nobody can tell. */
  begins(room: string): void {
    this.set(room, this.#refused.has(room) ? 'unknown' : 'transcribed');
  }

  /** Somebody says no. */
  refuses(room: string): void {
    this.#refused.add(room);
  }

  /** What an answer promises. What could not be written into the metadata, an earlier word may still deny there. */
  promise(room: string, word: 'start' | 'stop', isMetadataWritten: boolean): Expectation {
    const isDenied = word === 'start' ? this.#refused.has(room) : this.#asked.has(room);
    if (word === 'start') this.#asked.add(room);
    if (isDenied && !isMetadataWritten) return 'unknown';
    return word === 'start' ? 'transcribed' : 'left alone';
  }

  /** Somebody asks; call the answer when it was heard, with what it promised. */
  asks(room: string): (promised: Expectation) => void {
    this.set(room, 'unknown');
    const turn = this.#rooms.get(room)?.turn;
    // Whoever dies over a question never answers it, and what it had sent may still arrive after a later one.
    const unanswered = this.#unanswered.get(room) ?? 0;
    this.#unanswered.set(room, unanswered + 1);
    return (promised) => {
      // Of two that ask at the same time nobody knows who was last.
      const isLast = unanswered === 0 && this.#rooms.get(room)?.turn === turn;
      this.set(room, isLast ? promised : 'unknown');
      this.#unanswered.set(room, (this.#unanswered.get(room) ?? 1) - 1);
    };
  }
}
