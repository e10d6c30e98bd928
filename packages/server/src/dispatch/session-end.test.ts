import type { LiveEvent } from '@dialoglens/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DialogLensError } from '../errors.ts';
import { dispatchLaboratory, type Laboratory } from '../testing/dispatch-laboratory.ts';
import type { FakeWorker } from '../testing/fake-worker.ts';

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
      if (event.type !== 'session' || event.status !== 'ended') return;
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
    expect(lab.logged('warn').filter(({ session }) => session === 'ses_1')).toHaveLength(1);
  });
});

describe('a wish of the API', () => {
  const enter = async () => {
    const worker = await lab.worker('agt_a');
    const { control } = await lab.dispatcher();
    lab.directory.open('r');
    lab.directory.join('r', 'ann');
    await control.start('r', {}, 'x');
    await lab.clock.advance(7000);
    expect(lab.held()).toEqual({ r: 'agt_a' });
    return { worker, control };
  };
  const comeBack = async () => {
    const sid = lab.directory.open('r');
    lab.directory.join('r', 'ann');
    await lab.clock.advance(15_000);
    return sid;
  };

  it('ends with the meeting it was made for', async () => {
    const { control } = await enter();
    await comeBack();
    expect(lab.held()).toEqual({});
    expect(await control.room('r')).toBeNull();
  });

  it.each([
    [
      'was away',
      async () => {
        lab.directory.trouble = new DialogLensError('livekit_unreachable', 'LiveKit cannot be reached.');
        await lab.clock.advance(20_000);
        lab.directory.trouble = null;
      },
    ],
    [
      'was back before anybody noticed, but threw its agent out',
      (worker: FakeWorker) => worker.leave('r', 'connection-lost', true),
    ],
  ])('goes on when LiveKit %s', async (_, fallOver) => {
    const { worker } = await enter();
    await fallOver(worker);
    const sid = await comeBack();
    expect(lab.held()).toEqual({ r: 'agt_a' });
    expect(lab.store.sessions()).toMatchObject([
      { endReason: 'room ended' },
      { roomSid: sid, endReason: null },
    ]);
  });

  it('to stop ends also when LiveKit fell over', async () => {
    const { worker, control } = await enter();
    await worker.leave('r', 'connection-lost', true);
    await control.stop('r', 'x');
    await comeBack();
    expect(lab.held()).toEqual({});
    expect(await control.room('r')).toBeNull();
  });
});
