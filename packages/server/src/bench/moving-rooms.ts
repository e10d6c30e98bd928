import { setTimeout as delay } from 'node:timers/promises';
import { ask } from '../testing/ask.ts';
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

/** A cluster in which talking rooms lose their only worker to a new one. */
class Moves {
  readonly #cluster: LiveCluster;
  readonly #api: string;
  #worker: ClusterProcess;
  #workers = 1;
  #rooms = 0;
  /** The same of the talk before each move: people pause between sentences. */
  readonly undisturbed: number[] = [];

  private constructor(cluster: LiveCluster, api: string, worker: ClusterProcess) {
    this.#cluster = cluster;
    this.#api = api;
    this.#worker = worker;
  }

  static async start(cluster: LiveCluster): Promise<Moves> {
    const [first] = await Promise.all([cluster.dispatcher(), cluster.dispatcher()]);
    return new Moves(cluster, first.api, cluster.agent('worker-1'));
  }

  /** Makes three rooms move, `times` times. Answers the longest time without captions of each room, ms. */
  async move(times: number, how: Move): Promise<number[]> {
    const silences: number[] = [];
    for (let i = 0; i < times; i++) silences.push(...(await this.#moveOnce(how)));
    return silences;
  }

  /** Rooms are new each time: those whose worker dies twice are set aside as the likely cause. */
  async #moveOnce(how: Move): Promise<number[]> {
    const place = { api: this.#api, join: this.#cluster.join };
    const names = Array.from({ length: roomCount }, () => `bench-move-${++this.#rooms}`);
    const rooms = await Promise.all(names.map((name) => TalkingRoom.open(place, name)));
    try {
      return await this.#onNext(rooms, how);
    } finally {
      await Promise.all(rooms.map((room) => room.close()));
      await Promise.all(names.map((name) => ask(this.#api, `/api/rooms/${name}/stop-transcription`, 'POST')));
    }
  }

  async #onNext(rooms: readonly TalkingRoom[], how: Move): Promise<number[]> {
    const id = `worker-${++this.#workers}`;
    await Promise.all(rooms.map((room) => room.hearMore(1)));
    const next = this.#cluster.agent(id);
    await this.#cluster.untilReady(this.#api, id);
    const talkMs = performance.now();
    await delay(betweenMs);
    const sinceMs = performance.now();
    this.undisturbed.push(...rooms.map((room) => room.silenceMs(talkMs, sinceMs)));
    how(this.#worker);
    await this.#untilServedBy(id, rooms);
    // What came right after belongs to it: the first words, and a pause between two sentences.
    await delay(betweenMs);
    // A frozen one that thaws finds that its rooms are somebody else's.
    this.#worker.kill('SIGCONT');
    this.#worker.kill('SIGTERM');
    this.#worker = next;
    return rooms.map((room) => room.silenceMs(sinceMs));
  }

  async #untilServedBy(id: string, rooms: readonly TalkingRoom[]): Promise<void> {
    const untilMs = performance.now() + untilMovedMs;
    for (;;) {
      const views = await Promise.all(rooms.map((room) => room.view(this.#api)));
      if (views.every(({ status, agentId }) => status === 'active' && agentId === id)) return;
      if (performance.now() > untilMs) {
        const picture = views.map(({ room, status, reason }) => `${room} ${status} (${reason})`).join(', ');
        throw new Error(`not all rooms moved to ${id}: ${picture}`);
      }
      await delay(lookEveryMs);
    }
  }
}

async function onCluster(measure: (moves: Moves) => Promise<Figure[]>): Promise<Figure[]> {
  const cluster = await startLiveCluster({ hearing: 'tones' });
  try {
    return await measure(await Moves.start(cluster));
  } finally {
    await cluster.stop();
  }
}

/** The longest time without captions when the worker of three talking rooms is killed, and when it is frozen. */
export function measureTakeover(): Promise<Figure[]> {
  return onCluster(async (moves) => [
    ...figuresOf('kill -9', await moves.move(4, (worker) => worker.kill('SIGKILL')), '≤ 3 s / 8 s'),
    ...figuresOf('freeze', await moves.move(2, (worker) => worker.kill('SIGSTOP')), '≤ 12 s'),
  ]);
}

/** The longest time without captions when the worker of three talking rooms is told to end. */
export function measureHandover(): Promise<Figure[]> {
  return onCluster(async (moves) => [
    ...figuresOf('handover', await moves.move(5, (worker) => worker.kill('SIGTERM')), '≤ 1 s'),
    ...figuresOf('before it, undisturbed', moves.undisturbed),
  ]);
}

function figuresOf(what: string, silences: readonly number[], goal = ''): Figure[] {
  const count = `of ${silences.length}`;
  return [
    [`time without captions, ${what}, p50 ${count}`, `${percentile(silences, 50)} ms`, goal],
    [`time without captions, ${what}, p99 ${count}`, `${percentile(silences, 99)} ms`, goal],
  ];
}
