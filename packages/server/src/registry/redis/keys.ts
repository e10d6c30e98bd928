/**
 * Names in Redis. All of them stand behind the configured prefix (`redis.prefix`). Hashes live for a limited time and
 * are written anew by whom they are about; the sets only list them and are repaired by whoever reads them.
 */
export interface RedisKeys {
  /** Hash: an `AgentStatus`, its lists as JSON, with `heardAt` (Redis' clock, ms) and `beats` (count of heartbeats). */
  agent(agentId: string): string;
  /** Hash: a `RoomPicture`. */
  room(room: string): string;
  /** Set of the ids of workers that have a hash. */
  activeAgents: string;
  /** Set of the names of rooms that have a hash. */
  activeRooms: string;
  /** Sorted set of the names of rooms that wait; the score is their position, 1 is next. */
  queuedRooms: string;
  /** Text: the mean start of the active sessions, ms, or `none`; so that not everybody has to read all rooms for it. */
  meanStart: string;
  /** Hash: claims on a shared pool; for each holder `PLACES UNTIL` (Redis' clock, ms). Gone when nobody claims any more. */
  share(pool: string): string;
  /** Text: a sum that all processes add to. */
  sum(name: string): string;
  /** Channel: `WorkerCommand`s for one worker, as JSON. */
  assign(agentId: string): string;
  /** Channel: `LiveEvent`s of one room, as JSON. */
  live(room: string): string;
  /** Pattern of the live channels of all rooms. */
  everyLive: string;
  /** Channel: names of rooms to look at, as they are. */
  hint: string;
  /** Channel: `WorkerReport`s for all dispatchers, as JSON. */
  report: string;
}

export function redisKeys(prefix: string): RedisKeys {
  const live = `${prefix}dl:room:`;
  return {
    agent: (agentId) => `${prefix}agent:${agentId}`,
    room: (room) => `${prefix}room:${room}`,
    activeAgents: `${prefix}active:agents`,
    activeRooms: `${prefix}active:rooms`,
    queuedRooms: `${prefix}queued:rooms`,
    meanStart: `${prefix}dl:mean-start`,
    share: (pool) => `${prefix}dl:share:${pool}`,
    sum: (name) => `${prefix}dl:sum:${name}`,
    assign: (agentId) => `${prefix}dl:assign:${agentId}`,
    live: (room) => `${live}${room}`,
    everyLive: `${literally(live)}*`,
    hint: `${prefix}dl:hint`,
    report: `${prefix}dl:report`,
  };
}

/** A text as a pattern that matches only itself. */
function literally(text: string): string {
  return text.replace(/[\\*?[\]^-]/g, '\\$&');
}
