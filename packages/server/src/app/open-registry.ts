import { systemClock } from '../clock.ts';
import type { Config } from '../config/index.ts';
import type { Metrics } from '../observability/metric-table.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import { createRegistry } from '../registry/create-registry.ts';

/**
 * The registry a configuration names: Redis where PostgreSQL and Redis are both set, else the memory of this process. A
 * Redis alone makes no cluster: leases in the folder of one process are nothing that others could go by. Not started.
 */
export function openConfiguredRegistry(
  { databaseUrl, redisUrl, redis }: Config,
  { logger, metrics }: { logger: Logger; metrics: Metrics },
): AgentRegistry {
  const url = databaseUrl === undefined ? undefined : redisUrl;
  return createRegistry({ redisUrl: url, prefix: redis.prefix, clock: systemClock, logger, metrics });
}
