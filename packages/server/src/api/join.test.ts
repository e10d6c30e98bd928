import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { FakeApiPorts } from '../testing/fake-api-ports.ts';
import { type Api, createApi } from './server.ts';

const secret = '0123456789abcdef';
let ports: FakeApiPorts;
let api: Api;
let minted: { room: string; identity: string; name: string }[];

function serve(change: Parameters<FakeApiPorts['deps']>[0] = {}): Api {
  const joinTokens = {
    url: 'wss://live.example',
    mint: async (grant: { room: string; identity: string; name: string }) => {
      minted.push(grant);
      return 'a.b.c';
    },
  };
  api = createApi(ports.deps({ joinTokens, ...change }));
  return api;
}

beforeEach(() => {
  ports = new FakeApiPorts(systemClock);
  minted = [];
});

afterEach(() => api.stop('test over'));

const ask = (name: unknown, headers: Record<string, string> = {}) =>
  api.app.inject({
    method: 'POST',
    url: '/api/rooms/stand%2Fup/join-token',
    payload: { name },
    headers: { host: 'localhost', ...headers },
  });

test('gives a token for the one room, under a new identity each time', async () => {
  serve();
  const [first, second] = [await ask(' Ada '), await ask('Ada')];
  expect(first.statusCode).toBe(200);
  expect(first.json()).toEqual({
    url: 'wss://live.example',
    token: 'a.b.c',
    room: 'stand/up',
    identity: minted[0]?.identity,
  });
  expect(minted[0]).toMatchObject({ room: 'stand/up', name: 'Ada' });
  expect(second.json().identity).not.toBe(first.json().identity);
});

test.each(['', '   ', 'x'.repeat(101), 'a\0b', 7])('the name %j is refused, by its field', async (name) => {
  serve();
  const answer = await ask(name);
  expect(answer.statusCode).toBe(400);
  expect(answer.json()).toMatchObject({ code: 'invalid_request', field: 'name' });
  expect(minted).toEqual([]);
});

test('a viewer may not let people in, nor may somebody unknown; an operator may', async () => {
  serve({
    keys: [
      { id: 'v', role: 'viewer', secret: `${secret}v` },
      { id: 'o', role: 'operator', secret: `${secret}o` },
    ],
  });
  expect((await ask('Ada')).statusCode).toBe(401);
  expect((await ask('Ada', { authorization: `Bearer ${secret}v` })).statusCode).toBe(403);
  expect((await ask('Ada', { authorization: `Bearer ${secret}o` })).statusCode).toBe(200);
  expect(minted).toHaveLength(1);
});

test('says so where tokens cannot be made', async () => {
  api = createApi(ports.deps());
  expect((await ask('Ada')).json()).toMatchObject({ code: 'not_found' });
});
