import { afterEach, beforeEach, expect, it } from 'vitest';
import { dispatchLaboratory, type Laboratory } from '../testing/dispatch-laboratory.ts';

let lab: Laboratory;
beforeEach(() => {
  lab = dispatchLaboratory();
});
afterEach(() => lab.close());

it('tells how the captions of a room do and who speaks, as its worker says, and nothing once the worker is not heard', async () => {
  const worker = await lab.worker('agt_a');
  const { control } = await lab.dispatcher();
  lab.directory.open('r', '{"transcriptionEnabled":true}');
  lab.directory.join('r', 'ann');
  expect((await control.room('r'))?.captions).toBeUndefined();
  await lab.clock.advance(7000);
  expect(await control.room('r')).toMatchObject({ captions: { state: 'ok', reason: 'ok' }, speaking: [] });
  const down = { state: 'down', reason: 'provider failing', retryAt: 12_000 } as const;
  worker.captions.set('r', down);
  worker.speaking.set('r', ['Ann']);
  await lab.clock.advance(1000);
  expect(await control.room('r')).toMatchObject({ captions: down, speaking: ['Ann'] });
  expect(await control.rooms()).toMatchObject([{ room: 'r', captions: down }]);
  worker.kill();
  await lab.clock.advance(3000);
  expect(await control.room('r')).not.toHaveProperty('captions');
  expect(await control.room('r')).not.toHaveProperty('speaking');
});
