import { join } from 'node:path';
import type { Config } from '../config/index.ts';
import { DialogLensError } from '../errors.ts';
import type { Logger } from '../observability/telemetry.ts';
import { findPostgres, findRedis } from './installed-programs.ts';
import { startOwnPostgres } from './own-postgres.ts';
import { startOwnRedis } from './own-redis.ts';
import type { OwnServer } from './own-server.ts';

/** PostgreSQL and Redis of a cluster on one machine. */
export interface ClusterServers {
  databaseUrl: string;
  redisUrl: string;
  /** Those that we run ourselves: all but the configured ones. */
  own: readonly (OwnServer & { name: string })[];
}

/** Programs to run; null for a server that is configured. */
export interface ClusterPrograms {
  postgres: string | null;
  redis: string | null;
}

type Wishes = Pick<Config, 'databaseUrl' | 'redisUrl'>;

/**
 * Looks for the programs of those servers that are not configured.
 * @throws DialogLensError `program_missing` naming all that is missing
 */
export async function findClusterPrograms({ databaseUrl, redisUrl }: Wishes): Promise<ClusterPrograms> {
  const [postgres, redis] = await Promise.all([
    databaseUrl === undefined ? findPostgres() : null,
    redisUrl === undefined ? findRedis() : null,
  ]);
  const missing = [
    ...(databaseUrl === undefined && postgres === null ? [needs.postgres] : []),
    ...(redisUrl === undefined && redis === null ? [needs.redis] : []),
  ];
  if (missing.length > 0) throw programMissing(missing);
  return { postgres, redis };
}

interface Need {
  name: string;
  setting: string;
  debian: string;
  homebrew: string;
}

const needs = {
  postgres: {
    name: 'PostgreSQL 15 or newer',
    setting: 'DATABASE_URL',
    debian: 'postgresql',
    homebrew: 'postgresql',
  },
  redis: { name: 'Redis 6 or newer', setting: 'REDIS_URL', debian: 'redis-server', homebrew: 'redis' },
} as const satisfies Record<string, Need>;

function programMissing(missing: readonly Need[]): DialogLensError {
  const list = (of: (need: Need) => string, between: string) => missing.map(of).join(between);
  const names = list(({ name }) => name, ' and ');
  const settings = list(({ setting }) => setting, ' and ');
  const isOne = missing.length === 1;
  return new DialogLensError(
    'program_missing',
    `A cluster needs ${names}; ${settings} ${isOne ? 'is' : 'are'} not set, and ${isOne ? 'it is' : 'they are'} not installed on this machine.`,
    {
      field: missing[0]?.setting ?? '',
      remedy:
        `Install ${isOne ? 'it' : 'them'} (Debian: apt-get install ${list(({ debian }) => debian, ' ')}; macOS: brew install ` +
        `${list(({ homebrew }) => homebrew, ' ')}), or set ${settings}. \`dialoglens start\` needs neither PostgreSQL nor Redis.`,
    },
  );
}

/** Starts what is not configured; what is, is taken as it is. @throws DialogLensError `program_failed` */
export async function startClusterServers(
  { databaseUrl, redisUrl }: Wishes,
  options: { programs: ClusterPrograms; folder: string; logger: Logger },
): Promise<ClusterServers> {
  const { programs, folder, logger } = options;
  const { postgres, redis } = programs;
  const database =
    postgres === null
      ? null
      : await startOwnPostgres({ programs: postgres, folder: join(folder, 'postgres'), logger });
  try {
    const cache =
      redis === null ? null : await startOwnRedis({ program: redis, folder: join(folder, 'redis'), logger });
    return {
      databaseUrl: database?.url ?? databaseUrl ?? '',
      redisUrl: cache?.url ?? redisUrl ?? '',
      own: [
        ...(database ? [{ ...database, name: 'PostgreSQL' }] : []),
        ...(cache ? [{ ...cache, name: 'Redis' }] : []),
      ],
    };
  } catch (thrown) {
    await database?.stop();
    throw thrown;
  }
}
