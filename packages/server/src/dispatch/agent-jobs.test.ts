import type { RoomView } from '@dialoglens/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DialogLensError } from '../errors.ts';
import { noMetrics } from '../observability/metric-table.ts';
import { silentLogger } from '../observability/telemetry.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { type AgentJob, AgentJobs, type AgentJobsDeps, type JobEnd } from './agent-jobs.ts';

const job = (id: string, change: Partial<AgentJob> = {}): AgentJob => ({
  id,
  room: 'standup',
  roomSid: 'RM_1',
  metadata: '',
  ...change,
});

/** Wishes as the dispatcher keeps them, and how full it is. */
class FakeControl {
  readonly wanted = new Map<string, object>();
  slots = { total: 2, used: 0, reserved: 0 };
  failure: Error | null = null;
  /** What keeps `capacity` from answering. */
  hangs: Promise<void> = Promise.resolve();

  wantByDispatch = async (room: string, _sid: string, settings: object) => {
    if (this.failure) throw this.failure;
    this.wanted.set(room, settings);
  };
  withdrawDispatch = async (room: string) => {
    if (this.failure) throw this.failure;
    this.wanted.delete(room);
  };
  room = async (name: string) =>
    this.wanted.has(name) ? ({ reason: 'active', demand: { wanted: true } } as RoomView) : null;
  capacity = async () => {
    await this.hangs;
    return { slots: this.slots, queuedRooms: 0 };
  };
}

describe('jobs of agent dispatch', () => {
  let clock: ManualClock;
  let control: FakeControl;
  let jobs: AgentJobs;
  let ends: JobEnd[];
  const make = (whenFull: AgentJobsDeps['whenFull']) => {
    jobs = new AgentJobs({ control, scheduler: clock, metrics: noMetrics, logger: silentLogger, whenFull });
    ends = [];
    jobs.onEnd((end) => ends.push(end));
    jobs.start();
  };
  beforeEach(() => {
    clock = new ManualClock();
    control = new FakeControl();
    make('queue');
  });
  afterEach(() => jobs.stop());

  it('wants the room of a job, with the settings it carries', async () => {
    jobs.begin(job('AJ_1', { metadata: '{"language":"de"}' }));
    await clock.advance(0);
    expect(control.wanted).toEqual(new Map([['standup', { language: 'de' }]]));
    expect(jobs.load()).toMatchObject({ jobs: 1 });
  });

  it('takes any metadata: what holds no settings of ours means the defaults', async () => {
    const texts = [
      'hello',
      '{"language":5}',
      '{"theirs":1}',
      '[1]',
      '{"__proto__":{}}',
      `"${'x'.repeat(99_999)}"`,
    ];
    for (const [i, metadata] of texts.entries()) jobs.begin(job(`AJ_${i}`, { room: `r${i}`, metadata }));
    await clock.advance(0);
    expect([...control.wanted.values()]).toEqual(texts.map(() => ({})));
  });

  it('reports a job as over when its room is no longer wanted', async () => {
    jobs.begin(job('AJ_1'));
    await clock.advance(5_000);
    expect(ends).toEqual([]);
    control.wanted.delete('standup');
    await clock.advance(3_000);
    expect(ends).toEqual([{ jobId: 'AJ_1', failed: false, reason: 'room ended' }]);
    expect(jobs.load()).toMatchObject({ jobs: 0 });
  });

  it('withdraws the wish with the last dispatch of a room, not with the first', async () => {
    jobs.begin(job('AJ_1'));
    jobs.begin(job('AJ_2'));
    await clock.advance(0);
    jobs.terminate('AJ_1');
    await clock.advance(0);
    expect(control.wanted.has('standup')).toBe(true);
    jobs.terminate('AJ_2');
    jobs.terminate('AJ_unknown');
    await clock.advance(0);
    expect(control.wanted.has('standup')).toBe(false);
    expect(ends.map((end) => end.jobId)).toEqual(['AJ_1', 'AJ_2']);
  });

  it('keeps a job while the store is away, and wants its room when it is back', async () => {
    control.failure = new DialogLensError('store_unavailable', 'away');
    jobs.begin(job('AJ_1'));
    await clock.advance(10_000);
    expect(ends).toEqual([]);
    control.failure = null;
    await clock.advance(2_000);
    expect(control.wanted.has('standup')).toBe(true);
  });

  it('fails a job at once whose settings no provider can serve', async () => {
    control.failure = new DialogLensError('unsupported_language', 'no');
    jobs.begin(job('AJ_1', { metadata: '{"language":"tlh"}' }));
    await clock.advance(0);
    expect(ends).toEqual([{ jobId: 'AJ_1', failed: true, reason: 'unsupported_language' }]);
  });

  it('takes jobs while every slot is busy, for the queue, and never says that it is full', async () => {
    control.slots = { total: 2, used: 2, reserved: 0 };
    await clock.advance(2_000);
    expect(await jobs.consider(job('AJ_1'))).toMatchObject({ accept: true });
    expect(jobs.load()).toMatchObject({ full: false, load: 1 });
  });

  it('refuses jobs while every slot is busy, when that is wished', async () => {
    await jobs.stop();
    make('refuse');
    expect(await jobs.consider(job('AJ_1'))).toMatchObject({ accept: true });
    control.slots = { total: 2, used: 1, reserved: 1 };
    expect(await jobs.consider(job('AJ_1'))).toEqual({ accept: false, reason: 'all slots busy' });
    expect(jobs.load()).toMatchObject({ full: true });
    expect(await jobs.consider(job('AJ_1', { room: '' }))).toMatchObject({ accept: false });
  });

  it('answers in time although nobody can tell how full it is', async () => {
    await jobs.stop();
    make('refuse');
    let release: () => void = () => undefined;
    control.hangs = new Promise((resolve) => {
      release = resolve;
    });
    const answer = jobs.consider(job('AJ_1'));
    await clock.advance(2_000);
    expect(await answer).toMatchObject({ accept: false });
    release();
  });
});
