import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dispatchLaboratory, type Laboratory } from '../testing/dispatch-laboratory.ts';

let lab: Laboratory;
beforeEach(() => {
  lab = dispatchLaboratory();
});
afterEach(() => lab.close());

describe('workers of other versions', () => {
  it('get no rooms and say why, unless they are within one minor version', async () => {
    const worker = await lab.worker('agt_a');
    worker.version = '1.0.0';
    const { control } = await lab.dispatcher();
    lab.directory.open('r');
    lab.directory.join('r', 'ann');
    await lab.clock.advance(1000);
    expect(await control.start('r', {}, 'x')).toMatchObject({ status: 'queued', reason: 'worker version' });
    expect(await control.agents()).toMatchObject([{ status: 'refusing', reason: 'worker version' }]);
    worker.version = '0.1.3';
    await lab.clock.advance(2000);
    expect(lab.held()).toEqual({ r: 'agt_a' });
    expect(await control.agents()).toMatchObject([{ status: 'ready', reason: null }]);
  });
});
