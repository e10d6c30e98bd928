import { mkdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Config } from '../config/index.ts';
import { asError } from '../errors.ts';
import { freePort } from '../livekit/free-port.ts';
import type { Logger } from '../observability/telemetry.ts';
import { ClusterDispatcher } from './cluster-dispatcher.ts';
import type { LiveKitTarget } from './dispatcher.ts';

export interface ClusterOptions {
  /** With `databaseUrl` and `redisUrl`. */
  config: Config;
  livekit: LiveKitTarget;
  /** Port of each dispatcher. */
  ports: readonly number[];
  /** For logs. */
  folder: string;
  logger: Logger;
}

/** Workers of a dispatcher that died are told by another one; they get this long, ms, beyond their own deadline. */
const orphanGraceMs = 2_000;
const lookEveryMs = 200;

/**
 * Dispatchers on this machine, with the workers that the pool wants. The first dispatcher keeps the pool: its workers
 * outlive its death, and it hears them when it is back.
 */
export class Cluster {
  readonly dispatchers: readonly ClusterDispatcher[];
  readonly #options: ClusterOptions;

  constructor(options: ClusterOptions) {
    const { config, livekit, ports, folder, logger } = options;
    this.#options = options;
    this.dispatchers = ports.map((port, i) => {
      const pool = { ...config.pool, mode: i === 0 ? ('local' as const) : ('external' as const) };
      const { url, apiKey, apiSecret } = livekit;
      const own: Config = { ...config, port, pool, livekit: { ...config.livekit, url, apiKey, apiSecret } };
      const name = `dispatcher ${i + 1}`;
      return new ClusterDispatcher({ name, config: own, logFile: this.#logFile(folder, i), logger });
    });
  }

  /** Resolves when every dispatcher answers; workers come afterwards. @throws DialogLensError `program_failed` */
  async start(): Promise<void> {
    const { folder } = this.#options;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await Promise.all(this.dispatchers.map((_, i) => emptied(this.#logFile(folder, i))));
    // One after the other: two that find an empty database at once only wait for each other.
    for (const dispatcher of this.dispatchers) await dispatcher.start();
  }

  /**
   * Lets the pool drain while the other dispatchers still serve it, then workers that nobody owns, then ends the rest.
   * `drain` tells one worker; `workers` lists those that are left.
   */
  async stop(through: {
    workers: () => Promise<string[]>;
    drain: (agentId: string) => Promise<unknown>;
  }): Promise<void> {
    const [first, ...others] = this.dispatchers;
    await first?.stop();
    if (others.length > 0) {
      await this.#drainOrphans(through).catch((thrown: unknown) => {
        this.#options.logger.warn({ err: asError(thrown) }, 'workers that are left end with this process');
      });
    }
    await Promise.all(others.map((dispatcher) => dispatcher.stop()));
  }

  async #drainOrphans({ workers, drain }: Parameters<Cluster['stop']>[0]): Promise<void> {
    const orphans = await workers();
    await Promise.all(orphans.map((agentId) => drain(agentId)));
    const until = performance.now() + this.#options.config.agent.drainDeadlineMs + orphanGraceMs;
    while (performance.now() < until && (await workers()).length > 0) await pause(lookEveryMs);
  }

  #logFile(folder: string, i: number): string {
    return join(folder, `dispatcher-${i + 1}.log`);
  }
}

/** One log for one run. */
async function emptied(file: string): Promise<void> {
  await truncate(file).catch((thrown: unknown) => {
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT')) throw thrown;
  });
}

/** Free ports of this machine, the wished one and those after it first. */
export async function portsFrom(wished: number, count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let next = wished; ports.length < count; ) {
    const port = await freePort('tcp', next);
    if (!ports.includes(port)) ports.push(port);
    next = next === 0 ? 0 : port + 1;
  }
  return ports;
}
