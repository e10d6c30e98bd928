import type { LiveEvent } from '@dialoglens/protocol';
import type { Clock } from '../../clock.ts';
import type { Metrics } from '../../observability/metric-table.ts';
import type { Logger } from '../../observability/telemetry.ts';
import {
  type AgentMetricsView,
  type AgentRegistry,
  type AgentStatus,
  agentSilentAfterMs,
  type RoomPicture,
  roomPictureTtlMs,
  type ShareClaim,
  type WorkerCommand,
  type WorkerReport,
} from '../agent-registry.ts';
import { agentMetrics, workerIdTaken } from '../registry-rules.ts';
import { ClockSkew } from './clock-skew.ts';
import { agentFields, type Heartbeat, readHeartbeat, readPicture, roomFields } from './hashes.ts';
import { HeartbeatWatch } from './heartbeat-watch.ts';
import { type RedisKeys, redisKeys } from './keys.ts';
import { LiveOutput } from './live-output.ts';
import { readCommand, readLiveEvent, readReport } from './messages.ts';
import { RedisConnection } from './redis-connection.ts';
import { Subscriptions } from './subscriptions.ts';

export interface RedisRegistryOptions {
  /** `redis://` or `rediss://`. A secret. */
  url: string;
  /** Stands before every key and channel. */
  prefix: string;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
}

/** A worker silent this long is forgotten, ms: a process that was killed never says goodbye. */
const agentTtlMs = 60_000;
/** Hashes read by one script: short enough that Redis serves others in between. */
const readBatch = 250;
/** How long a mean start of sessions is good enough, ms: it is asked for far more often than it changes. */
const meanStartTtlMs = 10_000;

/** The live picture in Redis, shared by any number of processes. */
export class RedisRegistry implements AgentRegistry {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #keys: RedisKeys;
  readonly #connection: RedisConnection;
  readonly #subscriptions: Subscriptions;
  readonly #live: LiveOutput;
  readonly #heartbeats = new HeartbeatWatch();
  readonly #skew: ClockSkew;
  #saidForeign = false;

  constructor({ url, prefix, clock, logger, metrics }: RedisRegistryOptions) {
    this.#clock = clock;
    this.#logger = logger;
    this.#keys = redisKeys(prefix);
    this.#skew = new ClockSkew(logger, metrics);
    this.#subscriptions = new Subscriptions({ logger, pattern: this.#keys.everyLive });
    this.#connection = new RedisConnection({
      url,
      logger,
      onLink: (link) => this.#subscriptions.attach(link),
    });
    this.#live = new LiveOutput(this.#connection, metrics);
  }

  start(): Promise<void> {
    return this.#connection.start();
  }

  async stop(): Promise<void> {
    this.#subscriptions.clear();
    await this.#connection.stop();
  }

  async ping(): Promise<void> {
    await this.#connection.ask((client) => client.ping());
  }

  async enroll(agentId: string, instance: string): Promise<void> {
    const isOurs = await this.#connection.ask((client) => client.enroll(this.#nameOf(agentId, instance)));
    if (!isOurs) throw workerIdTaken(agentId);
  }

  async heartbeat(status: AgentStatus): Promise<void> {
    const { agentId, instance } = status;
    const args = { ...this.#nameOf(agentId, instance), fields: agentFields(status) };
    const isOurs = await this.#connection.ask((client) => client.beat(args));
    if (!isOurs) throw workerIdTaken(agentId);
  }

  async forget(agentId: string): Promise<void> {
    const { agent, activeAgents } = this.#keys;
    await this.#connection.ask((client) =>
      client.multi().del(agent(agentId)).sRem(activeAgents, agentId).exec(),
    );
  }

  async agents(withinMs: number = agentSilentAfterMs): Promise<AgentStatus[]> {
    const heard = await this.#heard(withinMs);
    for (const { status, heardAt } of heard) this.#skew.note(status.agentId, status.heartbeatAt - heardAt);
    this.#skew.retain(new Set(heard.map(({ status }) => status.agentId)));
    return heard.map(({ status }) => status);
  }

  async setRoom(picture: RoomPicture): Promise<void> {
    const { room, status, queuePosition } = picture;
    const { activeRooms, queuedRooms } = this.#keys;
    const key = this.#keys.room(room);
    await this.#connection.ask((client) => {
      const write = client
        .multi()
        .hSet(key, roomFields(picture))
        .pExpire(key, roomPictureTtlMs)
        .sAdd(activeRooms, room);
      if (status === 'queued' && queuePosition !== null) {
        write.zAdd(queuedRooms, { score: queuePosition, value: room });
      } else {
        write.zRem(queuedRooms, room);
      }
      return write.exec();
    });
  }

  async removeRoom(room: string): Promise<void> {
    const { activeRooms, queuedRooms } = this.#keys;
    await this.#connection.ask((client) =>
      client.multi().del(this.#keys.room(room)).sRem(activeRooms, room).zRem(queuedRooms, room).exec(),
    );
  }

  async room(room: string): Promise<RoomPicture | null> {
    return readPicture(room, await this.#connection.ask((client) => client.hGetAll(this.#keys.room(room))));
  }

  async rooms(): Promise<RoomPicture[]> {
    const { activeRooms, queuedRooms } = this.#keys;
    const [listed, queued] = await this.#connection.ask((client) =>
      Promise.all([client.sMembers(activeRooms), client.zRange(queuedRooms, 0, -1)]),
    );
    const lists = [activeRooms, queuedRooms];
    const pictures = await inBatches([...new Set([...listed, ...queued])], async (members) => {
      const read = { lists, members, keyOf: (room: string) => this.#keys.room(room) };
      const { hashes } = await this.#connection.ask((client) => client.readRooms(read));
      return hashes.map(({ member, fields }) => readPicture(member, fields));
    });
    const ours = pictures.filter((picture) => picture !== null);
    this.#sayForeign(ours.length < pictures.length);
    const { meanStart } = this.#keys;
    await this.#connection.ask((client) =>
      client.set(meanStart, meanStartOf(ours), { expiration: { type: 'PX', value: meanStartTtlMs } }),
    );
    return ours;
  }

  async getAgentMetrics(): Promise<AgentMetricsView> {
    const [heard, known] = await Promise.all([
      this.#heard(agentSilentAfterMs),
      this.#connection.ask((client) => client.get(this.#keys.meanStart)),
    ]);
    const since = Number(known ?? meanStartOf(await this.rooms()));
    const statuses = heard.map(({ status }) => status);
    return agentMetrics(statuses, Number.isFinite(since) ? [{ since }] : [], this.#clock.nowMs());
  }

  async command(agentId: string, command: WorkerCommand): Promise<boolean> {
    const channel = this.#keys.assign(agentId);
    const text = JSON.stringify(command);
    return (await this.#connection.ask((client) => client.publish(channel, text))) > 0;
  }

  onCommand(agentId: string, listener: (command: WorkerCommand) => void): () => void {
    return this.#listen(this.#keys.assign(agentId), readCommand, listener);
  }

  async report(report: WorkerReport): Promise<void> {
    await this.#connection.ask((client) => client.publish(this.#keys.report, JSON.stringify(report)));
  }

  onReport(listener: (report: WorkerReport) => void): () => void {
    return this.#listen(this.#keys.report, readReport, listener);
  }

  async publish(room: string, event: LiveEvent): Promise<void> {
    this.#live.send(this.#keys.live(room), JSON.stringify(event));
  }

  subscribe(room: string | '*', listener: (event: LiveEvent) => void): () => void {
    const name = room === '*' ? this.#keys.everyLive : this.#keys.live(room);
    return this.#listen(name, readLiveEvent, listener);
  }

  async hint(room: string): Promise<void> {
    await this.#connection.ask((client) => client.publish(this.#keys.hint, room));
  }

  onHint(listener: (room: string) => void): () => void {
    return this.#subscriptions.listen(this.#keys.hint, listener);
  }

  share(claim: ShareClaim): Promise<number> {
    return this.#connection.ask((client) => client.share(this.#keys.share(claim.pool), claim));
  }

  addUp(sum: string, amount: number, ttlMs: number): Promise<number> {
    return this.#connection.ask((client) => client.addUp(this.#keys.sum(sum), amount, ttlMs));
  }

  #nameOf(agentId: string, instance: string) {
    const { activeAgents } = this.#keys;
    const agentKey = this.#keys.agent(agentId);
    return { agentKey, activeAgents, agentId, instance, withinMs: agentSilentAfterMs, ttlMs: agentTtlMs };
  }

  /** Workers heard from, with what Redis noted about their last heartbeat. */
  async #heard(withinMs: number): Promise<Heartbeat[]> {
    const { activeAgents } = this.#keys;
    const startMs = this.#clock.monotonicMs();
    const listed = await this.#connection.ask((client) => client.sMembers(activeAgents));
    const beats = await inBatches(listed, async (members) => {
      const read = { lists: [activeAgents], members, keyOf: (agentId: string) => this.#keys.agent(agentId) };
      const { nowMs, hashes } = await this.#connection.ask((client) => client.readAgents(read));
      return hashes.map(({ member, fields }) => ({ nowMs, beat: readHeartbeat(member, fields) }));
    });
    const endMs = this.#clock.monotonicMs();
    this.#heartbeats.retain(new Set(listed));
    const heard: Heartbeat[] = [];
    for (const { nowMs, beat } of beats) {
      // A name that was only taken has no status yet.
      if (beat === null) continue;
      const ageMs = nowMs - beat.heardAt;
      const silentMs = this.#heartbeats.observe(beat.status.agentId, beat.mark, ageMs, { startMs, endMs });
      if (silentMs <= withinMs) heard.push(beat);
    }
    this.#sayForeign(beats.some(({ beat }) => beat === null));
    return heard;
  }

  #listen<T>(name: string, read: (text: string) => T | null, listener: (message: T) => void): () => void {
    return this.#subscriptions.listen(name, (text) => {
      const message = read(text);
      if (message === null) this.#sayForeign(true);
      else listener(message);
    });
  }

  #sayForeign(isThere: boolean): void {
    if (!isThere || this.#saidForeign) return;
    this.#saidForeign = true;
    const remedy = 'When another program uses this Redis, set redis.prefix to a word of your own.';
    this.#logger.warn(
      { remedy },
      'what stands under our names in Redis is not all ours, or of a newer version',
    );
  }
}

function meanStartOf(rooms: readonly RoomPicture[]): string {
  const active = rooms.filter(({ status }) => status === 'active');
  return active.length === 0
    ? 'none'
    : `${active.reduce((sum, { since }) => sum + since, 0) / active.length}`;
}

/** Reads members in batches, one after the other, so that neither Redis nor we are busy with it for long at a time. */
async function inBatches<T>(
  members: readonly string[],
  read: (members: readonly string[]) => Promise<T[]>,
): Promise<T[]> {
  const all: T[] = [];
  for (let i = 0; i < members.length; i += readBatch) {
    all.push(...(await read(members.slice(i, i + readBatch))));
  }
  return all;
}
