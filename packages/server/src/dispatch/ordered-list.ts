/** Items kept in order; places are found by halving. `compare` must tell any two different items apart. */
export class OrderedList<T> {
  readonly #items: T[] = [];
  readonly #compare: (a: T, b: T) => number;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#items.length;
  }

  /** In order. Not to be kept: it changes with the list. */
  items(): readonly T[] {
    return this.#items;
  }

  add(item: T): void {
    this.#items.splice(this.before(item), 0, item);
  }

  remove(item: T): void {
    const at = this.before(item);
    const found = this.#items[at];
    if (found !== undefined && this.#compare(found, item) === 0) this.#items.splice(at, 1);
  }

  /** How many items come before this one, which need not be in the list. */
  before(item: T): number {
    let [low, high] = [0, this.#items.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const found = this.#items[middle];
      if (found !== undefined && this.#compare(found, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
