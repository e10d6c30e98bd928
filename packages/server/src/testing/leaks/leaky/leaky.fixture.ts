import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { dispatchLaboratory } from '../../dispatch-laboratory.ts';
import { FakeRoomConnector } from '../../fake-room.ts';

// Leaves one of everything behind, on purpose: the test of the leak check runs this file and expects it to fail.

it('passes, and leaves a timer, a server and its socket, a dispatcher and a room connection behind', async () => {
  setInterval(() => undefined, 60_000).unref();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await dispatchLaboratory().dispatcher();
  const signal = new AbortController().signal;
  const options = {
    url: '',
    token: '',
    epoch: 1,
    standby: false,
    screenShareAudio: false,
    signal,
    onEvent: () => undefined,
  };
  const room = await new FakeRoomConnector().connect(options);
  expect(room.roomSid).toBe('RM_fake');
});

it('passes, and cleans up', async () => {
  const timer = setTimeout(() => undefined, 60_000);
  const laboratory = dispatchLaboratory();
  await laboratory.dispatcher();
  await laboratory.close();
  clearTimeout(timer);
  expect(laboratory.held()).toEqual({});
});
