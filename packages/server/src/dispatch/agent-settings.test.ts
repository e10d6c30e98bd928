import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TranscriptionControl } from '../api/ports.ts';
import { dispatchLaboratory, type Laboratory } from '../testing/dispatch-laboratory.ts';
import type { FakeWorker } from '../testing/fake-worker.ts';
import { settingsKey } from './agent-settings.ts';

let lab: Laboratory;
let worker: FakeWorker;
let control: TranscriptionControl;
beforeEach(async () => {
  lab = dispatchLaboratory();
  worker = await lab.worker('agt_a');
  control = (await lab.dispatcher()).control;
  lab.directory.open('r');
  lab.directory.join('r', 'ann');
  await control.start('r', { language: 'en' }, 'x');
  await lab.clock.advance(1000);
});
afterEach(() => lab.close());

const told = () => worker.commands.filter((command) => command.type === 'settings');

describe('settings of a room that is served', () => {
  it('reach its agent once, in the same session, which then names the new language', async () => {
    const answer = await control.start('r', { language: 'de', hints: ['Zwickau'] }, 'x');
    expect(answer).toMatchObject({ status: 'assigned', sessionId: 'ses_1' });
    expect(worker.rooms.get('r')).toMatchObject({
      settings: { language: 'de', hints: ['Zwickau'] },
      epoch: 1,
    });
    expect(lab.store.sessions()).toMatchObject([{ id: 'ses_1', language: 'de', endedAt: null }]);
    await control.start('r', { language: 'de' }, 'x');
    await lab.clock.advance(30_000);
    expect(told()).toHaveLength(1);
    expect(worker.commands.filter((command) => command.type === 'assign')).toHaveLength(1);
  });

  it('are taken from the metadata too', async () => {
    lab.directory.setMetadata('r', '{"transcriptionEnabled":true,"language":"fr","maxParticipants":4}');
    await lab.clock.advance(7000);
    expect(worker.rooms.get('r')?.settings).toEqual({ language: 'fr', maxParticipants: 4 });
    expect(told()).toHaveLength(1);
  });

  it('are told when the agent has joined, if they changed while it was joining', async () => {
    worker.answer = 'deaf';
    lab.directory.open('late');
    lab.directory.join('late', 'bob');
    await control.start('late', {}, 'x');
    await control.start('late', { language: 'fr' }, 'x');
    expect(told()).toEqual([]);
    worker.answer = 'join';
    await lab.clock.advance(3000);
    expect(worker.rooms.get('late')?.settings).toEqual({ language: 'fr' });
  });

  it('are told again until somebody listens', async () => {
    const { registry } = lab;
    const send = registry.command.bind(registry);
    registry.command = async () => false;
    await control.start('r', { language: 'de' }, 'x');
    expect(told()).toEqual([]);
    registry.command = send;
    await lab.clock.advance(7000);
    expect(worker.rooms.get('r')?.settings).toEqual({ language: 'de' });
    expect(told()).toHaveLength(1);
  });

  it('are told by a dispatcher that knows nothing of what was told before', async () => {
    await lab.dispatcher();
    await lab.clock.advance(7000);
    expect(told()).toMatchObject([{ room: 'r', epoch: 1, settings: { language: 'en' } }]);
    await lab.clock.advance(30_000);
    expect(told()).toHaveLength(1);
  });
});

describe('settingsKey', () => {
  it('does not depend on the order of keys', () => {
    expect(settingsKey({ language: 'de', hints: ['a'] })).toBe(settingsKey({ hints: ['a'], language: 'de' }));
    expect(settingsKey({ hints: ['a', 'b'] })).not.toBe(settingsKey({ hints: ['b', 'a'] }));
  });
});
