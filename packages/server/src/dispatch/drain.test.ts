import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dispatchLaboratory, type Laboratory } from '../testing/dispatch-laboratory.ts';

let lab: Laboratory;
beforeEach(() => {
  lab = dispatchLaboratory();
});
afterEach(() => lab.close());

describe('an operator who drains a worker', () => {
  it('reaches the worker through the registry and is written down', async () => {
    const { control } = await lab.dispatcher();
    const worker = await lab.worker('agt_a');
    expect(await control.drain('agt_a', 'key 1')).toEqual({ rooms: 0 });
    expect(worker.commands).toEqual([{ type: 'drain', reason: 'asked to drain' }]);
    expect(lab.store.audited).toEqual([{ actor: 'key 1', action: 'drain', target: 'agt_a' }]);
  });

  it('is told when no such worker is heard', async () => {
    const { control } = await lab.dispatcher();
    expect(await control.drain('agt_b', 'key 1')).toBeNull();
    expect(lab.store.audited).toEqual([]);
  });
});
