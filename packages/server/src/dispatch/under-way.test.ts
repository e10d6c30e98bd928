import { expect, it } from 'vitest';
import { dispatchLaboratory } from '../testing/dispatch-laboratory.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { UnderWay } from './under-way.ts';

it('counts slots that are being taken, until they are or cannot be', async () => {
  const clock = new ManualClock();
  const underWay = new UnderWay(clock);
  const worker = { agentId: 'a', slots: 3, used: 1, region: null, version: '1.0.0', rooms: ['old'] };
  let done: () => void = () => undefined;
  const first = underWay.during('new', 'a', () => new Promise<void>((resolve) => (done = resolve)));
  const second = underWay.during('old', 'a', async () => {
    expect(underWay.counted([worker], clock.monotonicMs())).toEqual([
      { ...worker, used: 2, rooms: ['old', 'new'] },
    ]);
    throw new Error('refused');
  });
  await expect(second).rejects.toThrow('refused');
  await clock.advance(10);
  const earlier = clock.monotonicMs();
  done();
  await first;
  // Whoever read the leases before does not see it there.
  expect(underWay.counted([worker], earlier)).toEqual([{ ...worker, used: 2, rooms: ['old', 'new'] }]);
  await clock.advance(10);
  expect(underWay.counted([worker], clock.monotonicMs())).toEqual([worker]);
});

it('counts a room that was given twice for the worker that got it last', async () => {
  const clock = new ManualClock();
  const underWay = new UnderWay(clock);
  const workers = ['a', 'b'].map((agentId) => ({
    ...{ agentId, slots: 3, used: 0, region: null, version: '1.0.0', rooms: [] },
  }));
  const readAtMs = clock.monotonicMs();
  await underWay.during('room', 'a', async () => true);
  await underWay.during('room', 'b', async () => true);
  await underWay.during('other', 'a', async () => null);
  expect(underWay.counted(workers, readAtMs).map(({ used }) => used)).toEqual([0, 1]);
});

it('spreads rooms that are found together evenly, without one conflict', async () => {
  const lab = dispatchLaboratory();
  const workers = [
    await lab.worker('agt_a', 10),
    await lab.worker('agt_b', 10),
    await lab.worker('agt_c', 10),
  ];
  await lab.clock.advance(100);
  for (let i = 0; i < 30; i++) {
    lab.directory.open(`r${i}`, '{"transcriptionEnabled":true}');
    lab.directory.join(`r${i}`, 'ann');
  }
  await lab.dispatcher();
  await lab.clock.advance(3000);
  expect(workers.map((worker) => worker.rooms.size)).toEqual([10, 10, 10]);
  expect(lab.metrics.counted('assignments_total', { result: 'conflict' })).toBe(0);
  await lab.close();
});
