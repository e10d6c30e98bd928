import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { roomViewSchema } from '@dialoglens/protocol';
import { Command } from 'commander';
import { afterEach, describe, expect, it } from 'vitest';
import { createApi } from '../api/server.ts';
import { systemClock } from '../clock.ts';
import { loadConfig } from '../config/index.ts';
import { FakeApiPorts } from '../testing/fake-api-ports.ts';
import { ApiClient, targetOf, withTarget } from './api-client.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function serve() {
  const ports = new FakeApiPorts(systemClock);
  const api = createApi(ports.deps({ keys: [{ id: 'run', role: 'operator', secret: 'operator-secret' }] }));
  closing.push(() => api.stop('test over'));
  return { ports, ...(await api.start()) };
}

describe('ApiClient', () => {
  it('reads every page of a list', async () => {
    const { url, port } = await serve();
    const api = new ApiClient({ url: `http://localhost:${port}/`, key: 'operator-secret' });
    const headers = { authorization: 'Bearer operator-secret' };
    const start = (i: number) =>
      fetch(`${url}/api/rooms/room-${i}/start-transcription`, { method: 'POST', headers });
    await Promise.all(Array.from({ length: 210 }, (_, i) => start(i)));
    const rooms = await api.list('/api/rooms', roomViewSchema);
    expect(new Set(rooms.map(({ room }) => room)).size).toBe(210);
  });

  it('passes on what the API says is wrong, and how to give a key', async () => {
    const { url } = await serve();
    await expect(
      new ApiClient({ url, key: undefined }).list('/api/rooms', roomViewSchema),
    ).rejects.toMatchObject({
      code: 'unauthenticated',
      remedy: 'Give an API key with --key.',
    });
  });

  it('names the address where nobody answers, and what to do', async () => {
    const { url } = await serve();
    await closing.pop()?.();
    await expect(
      new ApiClient({ url, key: undefined }).list('/api/rooms', roomViewSchema),
    ).rejects.toMatchObject({
      code: 'api_unreachable',
      message: expect.stringContaining(`${url} cannot be reached (ECONNREFUSED)`),
      remedy: expect.stringContaining('--url'),
    });
  });

  it('knows a stranger', async () => {
    const server = createServer((_request, response) => response.end('<html>'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => new Promise((resolve) => server.close(resolve)));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await expect(
      new ApiClient({ url, key: undefined }).list('/api/rooms', roomViewSchema),
    ).rejects.toMatchObject({
      code: 'api_unreachable',
      message: expect.stringContaining('is not this version of DialogLens'),
    });
  });
});

describe('targetOf', () => {
  const target = (args: string[], env: Record<string, string> = {}) => {
    const command = withTarget(new Command());
    command.parse(args, { from: 'user' });
    return targetOf(command, loadConfig({ flags: {}, env, cwd: '/', role: 'client' }).config);
  };

  it('asks where the settings would listen, with the configured key that may do most, unless told otherwise', () => {
    expect(target([])).toEqual({ url: 'http://127.0.0.1:3010', key: undefined });
    const env = {
      DIALOGLENS_HOST: '::',
      DIALOGLENS_PORT: '4000',
      DIALOGLENS_API_KEYS: 'viewer:a-wall-display-key,sixteen-or-longer-key,operator:an-operators-key',
    };
    expect(target([], env)).toEqual({ url: 'http://127.0.0.1:4000', key: 'sixteen-or-longer-key' });
    expect(target(['--url', 'https://there', '--key', 'mine'], env)).toEqual({
      url: 'https://there',
      key: 'mine',
    });
  });

  it('refuses what is no address', () => {
    expect(() => target(['--url', 'there:3010'])).toThrow(/no address of an API/);
  });
});
