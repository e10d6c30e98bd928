import { setTimeout as pause } from 'node:timers/promises';
import { until } from '../until.ts';
import type { FaultSubjects } from './fault-subjects.ts';

/** Draws a whole number from 0 to `below` - 1. */
export type Draw = (below: number) => number;

/** Something that goes wrong, and is over when it resolves. Its text says to whom it was done. */
export type Fault = (subjects: FaultSubjects, draw: Draw) => Promise<string>;

const freezeMs = [4_000, 9_000, 15_000];
const storeAwayMs = 20_000;
const redisAwayMs = 5_000;
const liveKitAwayMs = 2_000;
const dropWebhooksMs = 8_000;

const drawn = (draw: Draw, subjects: FaultSubjects) => ({
  worker: [...subjects.workers.keys()][draw(subjects.workers.size)] ?? '',
  dispatcher: draw(subjects.dispatchers.length),
});

export const faults = {
  async 'kill -9 a worker'(subjects, draw) {
    const { worker } = drawn(draw, subjects);
    await subjects.killWorker(worker);
    return worker;
  },

  async 'kill -9 a dispatcher'(subjects, draw) {
    const { dispatcher } = drawn(draw, subjects);
    await subjects.killDispatcher(dispatcher);
    return `dispatcher ${dispatcher + 1}`;
  },

  async 'kill -9 both'(subjects, draw) {
    const { worker, dispatcher } = drawn(draw, subjects);
    await Promise.all([subjects.killWorker(worker), subjects.killDispatcher(dispatcher)]);
    return `${worker} and dispatcher ${dispatcher + 1}`;
  },

  async 'freeze a worker'(subjects, draw) {
    const { worker } = drawn(draw, subjects);
    const forMs = freezeMs[draw(freezeMs.length)] ?? 0;
    subjects.workers.get(worker)?.kill('SIGSTOP');
    await pause(forMs);
    subjects.workers.get(worker)?.kill('SIGCONT');
    return `${worker}, ${forMs / 1000} s`;
  },

  async 'freeze a dispatcher'(subjects, draw) {
    const { dispatcher } = drawn(draw, subjects);
    const forMs = freezeMs[draw(freezeMs.length)] ?? 0;
    subjects.dispatchers[dispatcher]?.kill('SIGSTOP');
    await pause(forMs);
    subjects.dispatchers[dispatcher]?.kill('SIGCONT');
    return `dispatcher ${dispatcher + 1}, ${forMs / 1000} s`;
  },

  async 'flush Redis'({ cluster }) {
    await cluster.redis.command('FLUSHALL');
    return '';
  },

  async 'restart Redis'({ cluster }) {
    await cluster.redis.stop();
    await pause(redisAwayMs);
    await cluster.redis.start();
    return `${redisAwayMs / 1000} s away`;
  },

  async 'stop PostgreSQL'({ cluster }) {
    await cluster.postgres.stop();
    await pause(storeAwayMs);
    await cluster.postgres.start();
    return `${storeAwayMs / 1000} s away`;
  },

  async 'restart livekit-server'({ cluster, talkers }) {
    await cluster.killLiveKit();
    for (const talker of talkers) talker.dropOut();
    await pause(liveKitAwayMs);
    await cluster.startLiveKit();
    return `${liveKitAwayMs / 1000} s away`;
  },

  async 'drop all webhooks'({ relay, talkers }, draw) {
    const before = relay.dropped;
    relay.isDropping = true;
    const talker = talkers[draw(talkers.length)];
    await talker?.rejoin();
    // LiveKit tells of the one who left and came back; nobody hears of it.
    await until('webhooks are dropped', 30_000, () => relay.dropped > before);
    await pause(dropWebhooksMs);
    relay.isDropping = false;
    return `${talker?.room} is left and entered again`;
  },

  async 'replace every process'(subjects) {
    for (const name of [...subjects.workers.keys()]) await subjects.replaceWorker(name);
    for (const [i] of subjects.dispatchers.entries()) await subjects.replaceDispatcher(i);
    return 'one after the other';
  },
} satisfies Record<string, Fault>;

export type FaultName = keyof typeof faults;
export const faultNames = Object.keys(faults) as FaultName[];
