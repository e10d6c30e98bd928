import { type CommandParser, defineScript } from '@redis/client';
import type { ShareClaim } from '../agent-registry.ts';

/** Milliseconds by the clock of Redis, as `nowMs`. */
const readClock = `
  local clock = redis.call('TIME')
  local nowMs = clock[1] * 1000 + math.floor(clock[2] / 1000)
`;

/**
 * Ends the script when another process that is heard has the name. Heard a long time ago or, after a jump of the clock,
 * in a far future is not heard.
 */
const refuseSecond = `
  local agent, active = KEYS[1], KEYS[2]
  local agentId, instance, withinMs, ttlMs = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
  ${readClock}
  local known = redis.call('HMGET', agent, 'instance', 'heardAt')
  local isOther = known[1] and known[1] ~= instance
  if isOther and known[2] and math.abs(nowMs - tonumber(known[2])) <= withinMs then return 0 end
`;

/** Takes a name. Whoever had it and fell silent is not in the picture any more. 1 when the name is ours. */
const enrollScript = `${refuseSecond}
  if known[1] ~= instance then
    redis.call('DEL', agent)
    redis.call('SREM', active, agentId)
  end
  redis.call('HSET', agent, 'instance', instance, 'heardAt', nowMs)
  redis.call('PEXPIRE', agent, ttlMs)
  return 1
`;

/** Writes a status down, with the time it was heard and a count that each heartbeat raises. 1 when the name is ours. */
const beatScript = `${refuseSecond}
  redis.call('HSET', agent, 'heardAt', nowMs, unpack(ARGV, 5))
  redis.call('HINCRBY', agent, 'beats', 1)
  redis.call('PEXPIRE', agent, ttlMs)
  redis.call('SADD', active, agentId)
  return 1
`;

/**
 * Reads the hashes of some members of a set. A member whose hash is gone is taken out of the set, and out of the queue
 * when there is one; a key that is no hash is somebody else's. Answers with the clock, then member and fields of each.
 */
function readScript(keysBefore: number, drop: string): string {
  return `
  ${readClock}
  local answer = { tostring(nowMs) }
  for i, member in ipairs(ARGV) do
    local hash = redis.pcall('HGETALL', KEYS[${keysBefore} + i])
    if not hash.err then
      if #hash == 0 then
        ${drop}
      else
        answer[#answer + 1] = { member, hash }
      end
    end
  end
  return answer
`;
}

/** Claims places of a pool. Claims that ran out, or lie in a far future after a jump of the clock, count no more. */
const shareScript = `
  local pool = KEYS[1]
  local holder, wanted, limit, ttlMs = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
  ${readClock}
  local claims = redis.call('HGETALL', pool)
  local taken = 0
  for i = 1, #claims, 2 do
    local places, untilMs = string.match(claims[i + 1], '^(%d+) (%d+)$')
    local leftMs = tonumber(untilMs) - nowMs
    if claims[i] == holder or leftMs <= 0 or leftMs > 10 * ttlMs then
      redis.call('HDEL', pool, claims[i])
    else
      taken = taken + tonumber(places)
    end
  end
  local places = math.max(0, math.min(wanted, limit - taken))
  if places > 0 then
    redis.call('HSET', pool, holder, string.format('%d %d', places, nowMs + ttlMs))
    redis.call('PEXPIRE', pool, ttlMs)
  end
  return places
`;

/** Adds to a sum and keeps it for a while longer. */
const addUpScript = `
  local sum = redis.call('INCRBYFLOAT', KEYS[1], ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return sum
`;

export interface EnrollArguments {
  agentKey: string;
  activeAgents: string;
  agentId: string;
  instance: string;
  /** Silence after which a name is free, ms. */
  withinMs: number;
  ttlMs: number;
}

function pushEnroll(parser: CommandParser, args: EnrollArguments): void {
  parser.pushKeys([args.agentKey, args.activeAgents]);
  parser.push(args.agentId, args.instance, String(args.withinMs), String(args.ttlMs));
}

/** Some members of a set with the keys of their hashes. */
export interface ReadArguments {
  /** The set, then the queue when there is one. */
  lists: readonly string[];
  members: readonly string[];
  keyOf: (member: string) => string;
}

function pushRead(parser: CommandParser, { lists, members, keyOf }: ReadArguments): void {
  parser.pushKeysLength([...lists, ...members.map(keyOf)]);
  parser.push(...members);
}

/** What the read scripts answer. */
export interface HashesRead {
  /** Redis' clock, ms. */
  nowMs: number;
  hashes: { member: string; fields: Record<string, string> }[];
}

type RawRead = [string, ...[member: string, fields: string[]][]];

function hashesRead([now, ...entries]: RawRead): HashesRead {
  const hashes = entries.map(([member, flat]) => ({ member, fields: pairs(flat) }));
  return { nowMs: Number(now), hashes };
}

function pairs(flat: readonly string[]): Record<string, string> {
  const fields: [string, string][] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) fields.push([flat[i] ?? '', flat[i + 1] ?? '']);
  return Object.fromEntries(fields);
}

export const scripts = {
  share: defineScript({
    SCRIPT: shareScript,
    NUMBER_OF_KEYS: 1,
    parseCommand(parser: CommandParser, key: string, { holder, wanted, limit, ttlMs }: ShareClaim) {
      parser.pushKey(key);
      parser.push(holder, String(wanted), String(limit), String(ttlMs));
    },
    transformReply: (reply: unknown) => Number(reply),
  }),
  addUp: defineScript({
    SCRIPT: addUpScript,
    NUMBER_OF_KEYS: 1,
    parseCommand(parser: CommandParser, key: string, amount: number, ttlMs: number) {
      parser.pushKey(key);
      parser.push(String(amount), String(ttlMs));
    },
    transformReply: (reply: unknown) => Number(reply),
  }),
  enroll: defineScript({
    SCRIPT: enrollScript,
    NUMBER_OF_KEYS: 2,
    parseCommand: pushEnroll,
    transformReply: (reply: unknown) => reply === 1,
  }),
  beat: defineScript({
    SCRIPT: beatScript,
    NUMBER_OF_KEYS: 2,
    parseCommand(parser: CommandParser, args: EnrollArguments & { fields: Record<string, string> }) {
      pushEnroll(parser, args);
      parser.push(...Object.entries(args.fields).flat());
    },
    transformReply: (reply: unknown) => reply === 1,
  }),
  readAgents: defineScript({
    SCRIPT: readScript(1, `redis.call('SREM', KEYS[1], member)`),
    parseCommand: pushRead,
    transformReply: (reply: unknown) => hashesRead(reply as RawRead),
  }),
  readRooms: defineScript({
    SCRIPT: readScript(2, `redis.call('SREM', KEYS[1], member) redis.call('ZREM', KEYS[2], member)`),
    parseCommand: pushRead,
    transformReply: (reply: unknown) => hashesRead(reply as RawRead),
  }),
};
