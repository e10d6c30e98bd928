import { describe, expect, it } from 'vitest';
import { type DecodeKind, DecodeScheduler } from './decode-scheduler.ts';

/** Records what runs; a job ends when the test says so. */
class Bench {
  readonly started: string[] = [];
  readonly dropped: string[] = [];
  readonly failed: string[] = [];
  readonly #ends = new Map<string, { resolve: () => void; reject: (error: Error) => void }>();
  readonly scheduler: DecodeScheduler;

  constructor(limits: ConstructorParameters<typeof DecodeScheduler>[0] = { concurrency: 1 }) {
    this.scheduler = new DecodeScheduler(limits);
  }

  submit(key: string, kind: DecodeKind, name: string, audioSeconds = 1): void {
    this.scheduler.submit({
      key,
      kind,
      audioSeconds,
      run: () => {
        this.started.push(name);
        return new Promise((resolve, reject) => this.#ends.set(name, { resolve, reject }));
      },
      failed: () => this.failed.push(name),
      dropped: (reason) => this.dropped.push(`${name}:${reason}`),
    });
  }

  async end(name: string, error?: Error): Promise<void> {
    const end = this.#ends.get(name);
    if (error) end?.reject(error);
    else end?.resolve();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('DecodeScheduler', () => {
  it('decodes finals before partials', async () => {
    const bench = new Bench();
    bench.submit('x', 'final', 'busy');
    bench.submit('a', 'partial', 'a-partial');
    bench.submit('b', 'final', 'b-final');
    await bench.end('busy');
    await bench.end('b-final');
    expect(bench.started).toEqual(['busy', 'b-final', 'a-partial']);
  });

  it('decodes the first words of one speaker before the next words of another, and a likely final in between', async () => {
    const bench = new Bench();
    bench.submit('x', 'final', 'busy');
    bench.submit('a', 'partial', 'a-partial');
    bench.submit('b', 'early', 'b-early');
    bench.submit('c', 'first', 'c-first');
    bench.submit('d', 'final', 'd-final');
    for (const name of ['busy', 'd-final', 'c-first', 'b-early', 'a-partial']) await bench.end(name);
    expect(bench.started).toEqual(['busy', 'd-final', 'c-first', 'b-early', 'a-partial']);
  });

  it('gives tracks their turns', async () => {
    const bench = new Bench();
    bench.submit('x', 'final', 'busy');
    for (const name of ['a1', 'a2', 'a3']) bench.submit('a', 'final', name);
    bench.submit('b', 'final', 'b1');
    for (const name of ['busy', 'a1', 'b1', 'a2']) await bench.end(name);
    expect(bench.started).toEqual(['busy', 'a1', 'b1', 'a2', 'a3']);
  });

  it('keeps only the newest partial of a track, in its turn', async () => {
    const bench = new Bench();
    bench.submit('x', 'final', 'busy');
    bench.submit('a', 'partial', 'a1');
    bench.submit('b', 'partial', 'b1');
    bench.submit('a', 'partial', 'a2');
    expect(bench.dropped).toEqual(['a1:replaced']);
    await bench.end('busy');
    await bench.end('a2');
    expect(bench.started).toEqual(['busy', 'a2', 'b1']);
  });

  it('never runs two jobs of one track at once', async () => {
    const bench = new Bench({ concurrency: 2 });
    bench.submit('a', 'final', 'a1');
    bench.submit('a', 'final', 'a2');
    bench.submit('b', 'partial', 'b1');
    expect(bench.started).toEqual(['a1', 'b1']);
    await bench.end('a1');
    expect(bench.started).toEqual(['a1', 'b1', 'a2']);
  });

  it('refuses finals beyond its bound and takes them again after', async () => {
    const bench = new Bench({ concurrency: 1, maxWaitingSeconds: 10 });
    bench.submit('x', 'final', 'busy', 5);
    bench.submit('a', 'final', 'a1', 8);
    bench.submit('b', 'final', 'b1', 8);
    expect(bench.dropped).toEqual(['b1:overload']);
    await bench.end('busy');
    bench.submit('b', 'final', 'b2', 8);
    await bench.end('a1');
    expect(bench.started).toEqual(['busy', 'a1', 'b2']);
  });

  it('drops a partial when its utterance ends, and everything on cancel', async () => {
    const bench = new Bench();
    bench.submit('x', 'final', 'busy');
    bench.submit('a', 'partial', 'a-partial');
    bench.submit('a', 'final', 'a-final');
    expect(bench.dropped).toEqual(['a-partial:replaced']);
    bench.scheduler.cancel('a');
    expect(bench.dropped).toEqual(['a-partial:replaced', 'a-final:cancelled']);
    await bench.end('busy');
    expect(bench.started).toEqual(['busy']);
    expect(bench.scheduler.waiting).toBe(0);
  });

  it('goes on after a job failed', async () => {
    const bench = new Bench();
    bench.submit('a', 'final', 'a1');
    bench.submit('b', 'final', 'b1');
    await bench.end('a1', new Error('broken'));
    expect(bench.failed).toEqual(['a1']);
    expect(bench.started).toEqual(['a1', 'b1']);
  });

  it('widens the partial interval under load and returns to it', async () => {
    const bench = new Bench({ concurrency: 1, partialIntervalMs: 500, maxPartialIntervalMs: 2_000 });
    bench.submit('x', 'final', 'busy');
    for (let i = 0; i < 20; i++) bench.submit('a', 'partial', `p${i}`);
    expect(bench.scheduler.partialIntervalMs).toBe(2_000);
    await bench.end('busy');
    await bench.end('p19');
    for (let i = 0; i < 40; i++) {
      bench.submit('a', 'partial', `q${i}`);
      await bench.end(`q${i}`);
    }
    expect(bench.scheduler.partialIntervalMs).toBe(500);
  });

  it('does not take the first words of many speakers for too much work', () => {
    const bench = new Bench({ concurrency: 1, partialIntervalMs: 500 });
    for (let i = 0; i < 20; i++) bench.submit(`k${i}`, 'first', `first-${i}`);
    expect(bench.scheduler.partialIntervalMs).toBe(500);
  });

  it('tells its load, and has spare room only while no final waits', async () => {
    const bench = new Bench({ concurrency: 2 });
    expect(bench.scheduler.load).toEqual({ waiting: 0, utilisation: 0 });
    bench.submit('a', 'partial', 'a1');
    expect(bench.scheduler.load).toEqual({ waiting: 0, utilisation: 0.5 });
    for (const key of ['b', 'c', 'd']) bench.submit(key, 'partial', `${key}1`);
    expect(bench.scheduler.load).toEqual({ waiting: 2, utilisation: 1 });
    expect(bench.scheduler.spare).toBe(true);
    bench.submit('e', 'final', 'e1');
    expect(bench.scheduler.spare).toBe(false);
    await bench.end('a1');
    expect(bench.scheduler.spare).toBe(true);
  });
});
