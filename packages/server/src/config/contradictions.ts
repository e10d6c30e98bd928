import { isLoopback } from '../api/loopback.ts';
import type { Config } from './schema.ts';
import type { Problem } from './sources.ts';

/** What a process is: everything in one, a part of a cluster, or one that only asks a running DialogLens. */
export type Role = 'single' | 'dispatcher' | 'agent' | 'client';

const liveKitNames = {
  url: 'LIVEKIT_URL',
  apiKey: 'LIVEKIT_API_KEY',
  apiSecret: 'LIVEKIT_API_SECRET',
} as const;
const liveKitKeys = ['url', 'apiKey', 'apiSecret'] as const;

/** What is wrong although each value is fine on its own. */
export function findContradictions(config: Config, role: Role): Problem[] {
  if (role === 'client') return [];
  // A worker process gets address and token of each room from a dispatcher, and its port serves probes and figures.
  if (role === 'agent') return missingCluster(config, role);
  const cluster = role === 'dispatcher' ? missingCluster(config, role) : [];
  return [...cluster, ...missingLiveKit(config, role), ...missingApiKeys(config), ...crossedPool(config)];
}

function missingCluster(config: Config, role: Role): Problem[] {
  const needed = [
    ['databaseUrl', 'DATABASE_URL', 'PostgreSQL keeps the leases and transcripts that all processes share'],
    ['redisUrl', 'REDIS_URL', 'Redis is how dispatchers and workers find each other'],
  ] as const;
  return needed
    .filter(([field]) => config[field] === undefined)
    .map(([field, name, why]) => ({
      field,
      message: `${name} is not set, and \`dialoglens ${role}\` is part of a cluster: ${why}`,
      remedy: `Set ${name}, or run \`dialoglens start\`, which needs neither PostgreSQL nor Redis.`,
    }));
}

function missingLiveKit({ livekit }: Config, role: Role): Problem[] {
  const names = (keys: readonly (keyof typeof liveKitNames)[]) =>
    keys.map((key) => liveKitNames[key]).join(' and ');
  const missing = liveKitKeys.filter((key) => livekit[key] === undefined);
  if (missing.length === 0) return [];
  const field = `livekit.${missing[0]}`;
  const verb = missing.length === 1 ? 'is' : 'are';
  if (role === 'dispatcher') {
    const message = `${names(missing)} ${verb} not set, and a dispatcher has to know whose rooms to serve`;
    return [{ field, message, remedy: `Set ${names(missing)} to those of your LiveKit server.` }];
  }
  if (missing.length === liveKitKeys.length) return [];
  const present = names(liveKitKeys.filter((key) => !missing.includes(key)));
  return [
    {
      field,
      message: `${names(missing)} ${verb} missing, while ${present} is set`,
      remedy: `Set ${names(missing)} too, or none of the three to use a livekit-server of our own.`,
    },
  ];
}

function missingApiKeys({ apiKeys, host }: Config): Problem[] {
  if (apiKeys.length > 0 || isLoopback(host)) return [];
  return [
    {
      field: 'apiKeys',
      message: `is empty, while host is ${host}, which other machines can reach`,
      remedy:
        'Set DIALOGLENS_API_KEYS to at least one key (`openssl rand -hex 24` makes one), or listen on 127.0.0.1.',
    },
  ];
}

function crossedPool({ pool }: Config): Problem[] {
  const crossed = [
    ['min', 'max', pool.min > pool.max],
    ['scaleDownAt', 'scaleUpAt', pool.scaleDownAt >= pool.scaleUpAt],
  ] as const;
  return crossed
    .filter(([, , isCrossed]) => isCrossed)
    .map(([low, high]) => ({
      field: `pool.${low}`,
      message: `is ${pool[low]}, while pool.${high} is ${pool[high]}`,
      remedy: `Make pool.${low} smaller than pool.${high}.`,
    }));
}
