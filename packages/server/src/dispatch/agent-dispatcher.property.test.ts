import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dispatchLaboratory, type Laboratory } from '../testing/dispatch-laboratory.ts';
import type { FakeWorker } from '../testing/fake-worker.ts';
import { countPeople } from './decide.ts';

const rooms = ['a', 'b/c', 'd e', '🎙️'] as const;
const wish = '{"transcriptionEnabled":true}';
const no = '{"transcriptionEnabled":false}';

const room = fc.constantFrom(...rooms);
const step = fc.oneof(
  fc.record({ do: fc.constant('open' as const), room, metadata: fc.constantFrom('', wish, no, 'foreign') }),
  fc.record({
    do: fc.constantFrom('close', 'join', 'mute', 'leave', 'start', 'stop', 'omit', 'wish', 'unwish'),
    room,
  }),
  fc.record({ do: fc.constant('hint' as const), room, times: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ do: fc.constant('worker' as const), slots: fc.integer({ min: 1, max: 2 }) }),
  fc.record({
    do: fc.constantFrom('kill', 'drain', 'undrain', 'deafen', 'quit', 'linger', 'forget', 'cool'),
    which: fc.nat(3),
  }),
  fc.record({ do: fc.constantFrom('restart', 'flush') }),
  fc.record({ do: fc.constantFrom('store away', 'store back', 'registry away', 'registry back') }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 10, max: 9000 }) }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Plays one random history against the real dispatcher. */
class History {
  readonly lab: Laboratory;
  readonly #workers: FakeWorker[] = [];
  #dispatchers: Awaited<ReturnType<Laboratory['dispatcher']>>[] = [];

  constructor(random: () => number) {
    this.lab = dispatchLaboratory(random);
  }

  async begin(replicas: number): Promise<void> {
    for (let i = 0; i < replicas; i++) this.#dispatchers.push(await this.lab.dispatcher());
  }

  /** A busy afternoon: two workers, three slots, four rooms with a voice. */
  async beginBusy(): Promise<void> {
    await this.apply({ do: 'worker', slots: 2 });
    await this.apply({ do: 'worker', slots: 1 });
    for (const name of rooms) {
      await this.apply({ do: 'open', room: name, metadata: name === 'a' ? '' : wish });
      await this.apply({ do: 'join', room: name });
    }
    await this.apply({ do: 'start', room: 'a' });
    await this.lab.clock.advance(7000);
  }

  async play(steps: readonly Step[]): Promise<void> {
    for (const one of steps) {
      await this.apply(one);
      await this.lab.clock.advance(50);
      this.#checkOneAgentPerRoom();
    }
    await this.#calm();
  }

  /** Faults end, and everything has time to settle: the longest pause of a retry and an end of a room. */
  async #calm(): Promise<void> {
    this.lab.store.away = false;
    this.lab.outage.registry = false;
    this.lab.directory.omitted.clear();
    for (const worker of this.#workers) {
      if (worker.answer === 'deaf') worker.answer = 'join';
      Object.assign(worker, { pausesAfterMs: 200, promotes: true, warmsUpMs: 300 });
    }
    await this.lab.clock.advance(90_000);
  }

  async apply(one: Step): Promise<void> {
    if ('which' in one) return this.#applyToWorker(one.do, this.#workers[one.which]);
    if ('slots' in one) {
      const agentId = `agt_${this.#workers.length}`;
      // While the store is away a worker that would renew simply fails to; it starts all the same.
      this.#workers.push(await this.lab.worker(agentId, one.slots));
    } else if ('ms' in one) await this.lab.clock.advance(one.ms);
    else if ('room' in one) await this.#applyToRoom(one);
    else await this.#applyToAll(one.do);
  }

  async #applyToRoom(one: Extract<Step, { room: string }>): Promise<void> {
    const { directory } = this.lab;
    const control = this.#dispatchers[0]?.control;
    if (one.do === 'open' && 'metadata' in one) directory.open(one.room, one.metadata);
    else if (one.do === 'close') directory.close(one.room);
    else if (one.do === 'hint' && 'times' in one) {
      for (let i = 0; i < one.times; i++) {
        for (const each of this.#dispatchers) await each.handleRoomEvent({ event: 'x', room: one.room });
      }
    } else if (one.do === 'start' || one.do === 'stop') {
      const asked = one.do === 'start' ? control?.start(one.room, {}, 'x') : control?.stop(one.room, 'x');
      const away = expect.stringMatching(/^(store|registry)_unavailable$/);
      await asked?.catch((error: unknown) => expect(error).toMatchObject({ code: away }));
    } else if (one.do === 'omit') directory.omitted.add(one.room);
    else if (directory.has(one.room)) this.#applyInside(one.do, one.room);
  }

  #applyInside(what: string, name: string): void {
    const { directory } = this.lab;
    if (what === 'join') directory.join(name, 'ann');
    if (what === 'mute') directory.join(name, 'ann', { hasAudio: false });
    if (what === 'leave') directory.leave(name, 'ann');
    if (what === 'wish') directory.setMetadata(name, wish);
    if (what === 'unwish') directory.setMetadata(name, no);
  }

  async #applyToWorker(what: string, worker: FakeWorker | undefined): Promise<void> {
    if (worker === undefined) return;
    if (what === 'kill') worker.kill();
    if (what === 'drain') worker.status = 'draining';
    if (what === 'undrain') worker.status = 'ready';
    // Nobody pauses for a while; its word to the successor is lost; as a successor it never hears every track.
    if (what === 'linger') worker.pausesAfterMs = 4000;
    if (what === 'forget') worker.promotes = false;
    if (what === 'cool') worker.warmsUpMs = null;
    if (what === 'deafen') worker.answer = 'deaf';
    const first = [...worker.rooms.keys()][0];
    const canTell = !this.lab.store.away && !this.lab.outage.registry;
    if (what === 'quit' && first !== undefined && canTell) await worker.leave(first, 'crashed', true);
  }

  async #applyToAll(what: string): Promise<void> {
    if (what === 'store away') this.lab.store.away = true;
    if (what === 'store back') this.lab.store.away = false;
    if (what === 'registry away') this.lab.outage.registry = true;
    if (what === 'registry back') this.lab.outage.registry = false;
    if (what === 'flush') {
      for (const picture of await this.lab.registry.rooms()) await this.lab.registry.removeRoom(picture.room);
    }
    if (what !== 'restart') return;
    const count = this.#dispatchers.length;
    await Promise.all(this.#dispatchers.map((each) => each.stop('restart')));
    this.#dispatchers = [];
    await this.begin(count);
  }

  /** One worker may believe in an older epoch for a moment; two never hold the same one. */
  #checkOneAgentPerRoom(): void {
    const epochs = this.#workers.flatMap((worker) =>
      [...worker.rooms.values()].map((a) => `${a.room} ${a.epoch}`),
    );
    expect(new Set(epochs).size).toBe(epochs.length);
  }

  /** The promise: every wanted room with a voice has one agent that is in it, or waits with a position. */
  async check(): Promise<void> {
    const { lab } = this;
    const leases = lab.store.held();
    const pictures = new Map((await lab.registry.rooms()).map((picture) => [picture.room, picture]));
    const demands = new Map((await lab.store.demands.list()).map((demand) => [demand.room, demand]));
    for (const name of rooms) {
      const lease = leases.find((held) => held.room === name);
      const wanted = demands.get(name)?.wanted === true && lab.directory.has(name);
      const people = countPeople(await lab.directory.listParticipants(name));
      if (!wanted) expect(lease, `${name} is not wanted`).toBeUndefined();
      else if (this.#serving(name).length > 0)
        this.#checkServed(name, lease?.holder, pictures.get(name)?.status);
      else if (people.audio) {
        expect(pictures.get(name), name).toMatchObject({
          status: 'queued',
          queuePosition: expect.any(Number),
        });
      }
      if (!lab.directory.has(name)) expect(demands.get(name)?.roomSid ?? null, name).toBeNull();
    }
    this.#checkMoves();
    this.#checkQueue([...pictures.values()].map((picture) => picture.queuePosition));
    expect(lab.logged('error')).toEqual([]);
  }

  /** Nobody stands by for nothing, and a worker that drains keeps no room that another one could take. */
  #checkMoves(): void {
    const free = this.#workers.reduce((sum, worker) => sum + worker.free, 0);
    for (const worker of this.#workers) {
      expect([...worker.standby.keys()], worker.agentId).toEqual([]);
      if (worker.status === 'draining' && free > 0)
        expect([...worker.rooms.keys()], worker.agentId).toEqual([]);
    }
    expect(this.lab.store.held().filter((lease) => lease.successor !== null)).toEqual([]);
  }

  #serving(name: string): string[] {
    return this.#workers.filter((worker) => worker.rooms.has(name)).map((worker) => worker.agentId);
  }

  #checkServed(name: string, holder: string | null | undefined, status: string | undefined): void {
    expect(this.#serving(name), name).toEqual([holder]);
    expect(status, name).toBe('active');
  }

  #checkQueue(positions: readonly (number | null)[]): void {
    const taken = positions.filter((position) => position !== null).sort((a, b) => a - b);
    expect(taken).toEqual(taken.map((_, index) => index + 1));
    const free = this.#workers.reduce((sum, worker) => sum + worker.free, 0);
    if (free > 0) expect(taken, 'nobody waits while a slot is free').toEqual([]);
  }
}

describe('any history', () => {
  it('ends with every wanted room served once or queued, whatever was lost on the way', async () => {
    const histories = fc.array(step, { minLength: 5, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(
        histories,
        fc.integer({ min: 1, max: 2 }),
        fc.float({ min: 0, max: Math.fround(0.99), noNaN: true }),
        fc.boolean(),
        async (steps, replicas, jitter, busy) => {
          const history = new History(() => jitter);
          try {
            await history.begin(replicas);
            if (busy) await history.beginBusy();
            await history.play(steps);
            await history.check();
          } finally {
            await history.lab.close();
          }
        },
      ),
      { numRuns: 150 },
    );
  }, 120_000);
});
