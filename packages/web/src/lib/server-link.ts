import { useSyncExternalStore } from 'react';

/** `lost`: the last request did not get through; `back`: it did again, a moment ago. */
export type LinkState = 'up' | 'lost' | 'back';

const probeEveryMs = 2_000;
const backShownMs = 4_000;

/** Whether the server can be reached, found out by the requests of the pages, and by a probe once one failed. */
export class ServerLink {
  readonly #probe: () => Promise<boolean>;
  readonly #listeners = new Set<() => void>();
  readonly #onBack = new Set<() => void>();
  #state: LinkState = 'up';
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** `probe` answers whether the server can be reached; it never rejects. */
  constructor(probe: () => Promise<boolean>) {
    this.#probe = probe;
  }

  get state(): LinkState {
    return this.#state;
  }

  /** A request did not get through. */
  lost(): void {
    if (this.#state === 'lost') return;
    this.#become('lost');
    this.#later(probeEveryMs, () => void this.#look());
  }

  /** A request got through. */
  reached(): void {
    if (this.#state !== 'lost') return;
    this.#become('back');
    this.#later(backShownMs, () => this.#become('up'));
    for (const listener of [...this.#onBack]) listener();
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Calls `listener` whenever the server can be reached again. */
  onBack(listener: () => void): () => void {
    this.#onBack.add(listener);
    return () => this.#onBack.delete(listener);
  }

  async #look(): Promise<void> {
    if (await this.#probe()) this.reached();
    else if (this.#state === 'lost') this.#later(probeEveryMs, () => void this.#look());
  }

  #become(state: LinkState): void {
    this.#state = state;
    for (const listener of [...this.#listeners]) listener();
  }

  #later(ms: number, work: () => void): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(work, ms);
  }
}

/** The link of this page. */
export const serverLink = new ServerLink(() =>
  fetch('/livez', { cache: 'no-store' }).then(
    (response) => response.ok,
    () => false,
  ),
);

export function useServerLink(): LinkState {
  return useSyncExternalStore(serverLink.subscribe, () => serverLink.state);
}
