/** One page of a list; `next` is the cursor of the page that follows, null on the last one. */
export interface Page<T> {
  items: T[];
  next: string | null;
}
