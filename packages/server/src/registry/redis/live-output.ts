import type { Metrics } from '../../observability/metric-table.ts';
import type { RedisConnection } from './redis-connection.ts';

/** Events on their way to Redis; beyond it viewers are better served by later ones. */
const maxUnderWay = 1_000;

/** Sends live events and waits for no answer. What Redis cannot take now is dropped and counted: the store has every final. */
export class LiveOutput {
  readonly #connection: Pick<RedisConnection, 'commands'>;
  readonly #metrics: Metrics;
  #underWay = 0;

  constructor(connection: Pick<RedisConnection, 'commands'>, metrics: Metrics) {
    this.#connection = connection;
    this.#metrics = metrics;
  }

  send(channel: string, text: string): void {
    const client = this.#connection.commands;
    if (client === null || this.#underWay >= maxUnderWay) return this.#drop();
    this.#underWay++;
    client
      .publish(channel, text)
      .catch(() => this.#drop())
      .finally(() => {
        this.#underWay--;
      });
  }

  #drop(): void {
    this.#metrics.count('sink_dropped_total', { sink: 'live bus' });
  }
}
