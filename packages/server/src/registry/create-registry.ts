import type { Clock } from '../clock.ts';
import { type Metrics, noMetrics } from '../observability/metric-table.ts';
import { type Logger, silentLogger } from '../observability/telemetry.ts';
import type { AgentRegistry } from './agent-registry.ts';
import { createMemoryRegistry } from './memory-registry.ts';
import { RedisRegistry } from './redis/redis-registry.ts';

export interface RegistryOptions {
  /** `redis://` or `rediss://`; without it the picture is kept in this process. A secret. */
  redisUrl?: string | undefined;
  /** Stands before every key and channel in Redis. */
  prefix?: string;
  clock: Clock;
  logger?: Logger;
  metrics?: Metrics;
}

/** The registry of this configuration, not yet started. */
export function createRegistry(options: RegistryOptions): AgentRegistry {
  const { redisUrl: url, prefix = '', clock, logger = silentLogger, metrics = noMetrics } = options;
  return url === undefined
    ? createMemoryRegistry({ clock })
    : new RedisRegistry({ url, prefix, clock, logger, metrics });
}
