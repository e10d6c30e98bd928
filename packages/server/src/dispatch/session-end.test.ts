import type { LiveEvent } from '@dialoglens/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dispatchLaboratory, type Laboratory } from '../testing/dispatch-laboratory.ts';

let lab: Laboratory;
beforeEach(() => {
  lab = dispatchLaboratory();
});
afterEach(() => lab.close());

const wish = '{"transcriptionEnabled":true}';

describe('the end of a session', () => {
  it('is announced once, after the store knows it', async () => {
    await lab.worker('agt_a');
    const { control } = await lab.dispatcher();
    const announced: { event: LiveEvent; stored: string | null }[] = [];
    lab.registry.subscribe('r', (event) => {
      announced.push({ event, stored: lab.store.sessions()[0]?.endReason ?? null });
    });
    lab.directory.open('r', wish);
    lab.directory.join('r', 'ann');
    await lab.clock.advance(7000);
    expect(announced).toEqual([]);
    await control.stop('r', 'x');
    await lab.clock.advance(20_000);
    const event = { type: 'session', sessionId: 'ses_1', room: 'r', status: 'ended', reason: 'stopped' };
    expect(announced).toEqual([{ event, stored: 'stopped' }]);
  });

  it('stands although nobody can be told', async () => {
    await lab.worker('agt_a');
    const { control } = await lab.dispatcher();
    lab.registry.subscribe('r', () => {
      throw new Error('the bus is away');
    });
    lab.directory.open('r', wish);
    lab.directory.join('r', 'ann');
    await lab.clock.advance(7000);
    await control.stop('r', 'x');
    await lab.clock.advance(5000);
    expect(lab.store.sessions()).toMatchObject([{ endReason: 'stopped' }]);
    expect(await control.room('r')).toMatchObject({ status: 'stopped' });
    expect(lab.logged('warn')).toMatchObject([{ session: 'ses_1' }]);
  });
});
