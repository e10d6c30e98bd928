import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterProcess, LiveCluster } from '../testing/live-cluster.ts';
import { startLiveCluster } from '../testing/live-cluster.ts';
import { TalkingRoom } from '../testing/talking-room.ts';
import { type Figure, percentile } from './figures.ts';

const roomCount = 3;
const untilMovedMs = 40_000;
/** Talking goes on for this long between two moves, ms. */
const betweenMs = 5_000;
const lookEveryMs = 100;

type Move = (worker: ClusterProcess) => void;

/** Rooms in which somebody talks all the time, on one worker after the other. */
class MovingRooms {
  readonly #cluster: LiveCluster;
  readonly #api: string;
  readonly #rooms: TalkingRoom[];
  #worker: ClusterProcess;
  #workers = 1;

  private constructor(cluster: LiveCluster, api: string, worker: ClusterProcess, rooms: TalkingRoom[]) {
    this.#cluster = cluster;
    this.#api = api;
    this.#worker = worker;
    this.#rooms = rooms;
  }

  static async open(cluster: LiveCluster): Promise<MovingRooms> {
    const [first] = await Promise.all([cluster.dispatcher(), cluster.dispatcher()]);
    const worker = cluster.agent('worker-1');
    const place = { api: first.api, join: cluster.join };
    const names = Array.from({ length: roomCount }, (_, i) => `bench-move-${i}`);
    const rooms = await Promise.all(names.map((name) => TalkingRoom.open(place, name)));
    return new MovingRooms(cluster, first.api, worker, rooms);
  }

  /** Makes them move `times` times to a new worker. Answers the longest time without captions of each room, ms. */
  async move(times: number, how: Move): Promise<number[]> {
    const silences: number[] = [];
    for (let i = 0; i < times; i++) {
      const id = `worker-${++this.#workers}`;
      const next = this.#cluster.agent(id);
      await delay(betweenMs);
      const sinceMs = performance.now();
      how(this.#worker);
      await this.#untilServedBy(id);
      // What came right after belongs to it: the first words, and a pause between two sentences.
      await delay(betweenMs);
      silences.push(...this.#rooms.map((room) => room.silenceMs(sinceMs)));
      // A frozen one that thaws finds that its rooms are somebody else's.
      this.#worker.kill('SIGCONT');
      this.#worker.kill('SIGTERM');
      this.#worker = next;
    }
    return silences;
  }

  async close(): Promise<void> {
    await Promise.all(this.#rooms.map((room) => room.close()));
  }

  async #untilServedBy(id: string): Promise<void> {
    const untilMs = performance.now() + untilMovedMs;
    const isServed = async () =>
      (await Promise.all(this.#rooms.map((room) => room.servedBy(this.#api)))).every((by) => by === id);
    while (!(await isServed())) {
      if (performance.now() > untilMs) throw new Error(`not all rooms moved to ${id}`);
      await delay(lookEveryMs);
    }
  }
}

async function onRooms(measure: (rooms: MovingRooms) => Promise<Figure[]>): Promise<Figure[]> {
  const cluster = await startLiveCluster({ hearing: 'tones' });
  try {
    const rooms = await MovingRooms.open(cluster);
    const figures = await measure(rooms);
    await rooms.close();
    return figures;
  } finally {
    await cluster.stop();
  }
}

/** The longest time without captions when the worker of three talking rooms is killed, and when it is frozen. */
export function measureTakeover(): Promise<Figure[]> {
  return onRooms(async (rooms) => [
    ...figuresOf('kill -9', await rooms.move(4, (worker) => worker.kill('SIGKILL')), '≤ 3 s / 8 s'),
    ...figuresOf('freeze', await rooms.move(2, (worker) => worker.kill('SIGSTOP')), '≤ 12 s'),
  ]);
}

/** The longest time without captions when the worker of three talking rooms is told to end. */
export function measureHandover(): Promise<Figure[]> {
  return onRooms(async (rooms) =>
    figuresOf('handover', await rooms.move(5, (worker) => worker.kill('SIGTERM')), '≤ 1 s'),
  );
}

function figuresOf(what: string, silences: readonly number[], goal: string): Figure[] {
  const count = `of ${silences.length}`;
  return [
    [`time without captions, ${what}, p50 ${count}`, `${percentile(silences, 50)} ms`, goal],
    [`time without captions, ${what}, p99 ${count}`, `${percentile(silences, 99)} ms`, goal],
  ];
}
