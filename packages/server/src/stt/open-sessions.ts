import type { Metrics } from '../observability/metric-table.ts';
import type { SttSession } from './stt.ts';

/** The sessions that a provider has open, counted in `stt_streams`. */
export class OpenSessions {
  readonly #provider: string;
  readonly #metrics: Metrics;
  readonly #sessions = new Set<SttSession>();

  constructor(provider: string, metrics: Metrics) {
    this.#provider = provider;
    this.#metrics = metrics;
  }

  /** @param make is given what the session has to call when it closes */
  open(make: (onClosed: () => void) => SttSession): SttSession {
    const session: SttSession = make(() => {
      this.#sessions.delete(session);
      this.#count();
    });
    this.#sessions.add(session);
    this.#count();
    return session;
  }

  closeAll(): void {
    for (const session of [...this.#sessions]) session.close();
  }

  #count(): void {
    this.#metrics.set('stt_streams', { provider: this.#provider }, this.#sessions.size);
  }
}
