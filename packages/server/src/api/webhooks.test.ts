import { createHash } from 'node:crypto';
import { SignJWT } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { createWebhookVerifier } from '../livekit/webhook-verifier.ts';
import { FakeApiPorts } from '../testing/fake-api-ports.ts';
import { createApi } from './server.ts';

const apiKey = 'APIkey';
const apiSecret = 'a secret of at least thirty-two characters';

let ports: FakeApiPorts;
let app: ReturnType<typeof createApi>['app'];

beforeEach(() => {
  ports = new FakeApiPorts(systemClock);
  const deps = ports.deps();
  const verifier = createWebhookVerifier({ apiKey, apiSecret });
  app = createApi({ ...deps, webhooks: { ...deps.webhooks, receive: verifier.receive } }).app;
  return () => app.close();
});

const event = (change: object = {}) =>
  JSON.stringify({
    id: 'EV_1',
    event: 'participant_joined',
    room: { name: 'standup', sid: 'RM_1' },
    participant: { identity: 'ada', kind: 'STANDARD' },
    createdAt: '1769850000',
    ...change,
  });

async function sign(body: string, options: { secret?: string; issuer?: string; expires?: number } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const sha256 = createHash('sha256').update(body).digest('base64');
  return new SignJWT({ sha256 })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(options.issuer ?? apiKey)
    .setNotBefore(now - 3600)
    .setExpirationTime(options.expires ?? now + 300)
    .sign(new TextEncoder().encode(options.secret ?? apiSecret));
}

async function send(body: string, authorization?: string, type = 'application/webhook+json') {
  return app.inject({
    method: 'POST',
    url: '/webhooks/livekit',
    payload: body,
    headers: {
      'content-type': type,
      // LiveKit calls by whatever name its configuration has; the signature is what counts.
      host: 'host.docker.internal:3010',
      ...(authorization === undefined ? {} : { authorization }),
    },
  });
}

const counted = (eventLabel: string, result: string) =>
  ports.counts.get(`webhooks_total event=${eventLabel} result=${result}`);

describe('signed webhooks', () => {
  test.each(['application/webhook+json', 'application/json', 'application/webhook+json; charset=utf-8'])(
    'as %s become a hint',
    async (type) => {
      const body = event();
      const answer = await send(body, await sign(body), type);
      expect(answer.statusCode).toBe(200);
      expect(answer.json()).toEqual({ received: true, result: 'accepted' });
      expect(ports.hints).toMatchObject([{ id: 'EV_1', event: 'participant_joined', room: 'standup' }]);
      expect(counted('participant_joined', 'accepted')).toBe(1);
    },
  );

  test('a replay is answered and ignored', async () => {
    const body = event();
    const signature = await sign(body);
    await send(body, signature);
    const again = await send(body, signature);
    expect(again.statusCode).toBe(200);
    expect(again.json()).toMatchObject({ result: 'duplicate' });
    expect(ports.hints).toHaveLength(1);
    expect(counted('participant_joined', 'duplicate')).toBe(1);
  });

  test.each([
    ['an agent', event({ participant: { kind: 'AGENT' } }), 'participant_joined'],
    ['an egress participant', event({ participant: { kind: 'EGRESS' } }), 'participant_joined'],
    ['an egress', event({ event: 'egress_started', egressInfo: { roomName: 'standup' } }), 'other'],
    ['an event of the future', event({ event: 'x'.repeat(500) }), 'other'],
    ['no room', event({ room: undefined }), 'participant_joined'],
    ['a room that is not an object', event({ room: ['standup'] }), 'participant_joined'],
  ])('about %s are ignored', async (_name, body, label) => {
    const answer = await send(body, await sign(body));
    expect(answer.json()).toEqual({ received: true, result: 'ignored' });
    expect(ports.hints).toEqual([]);
    expect(counted(label, 'ignored')).toBe(1);
  });

  test('still hint while the store is away, and twice when sent twice', async () => {
    ports.storeAway = true;
    const body = event();
    const signature = await sign(body);
    expect((await send(body, signature)).json()).toMatchObject({ result: 'accepted' });
    expect((await send(body, signature)).json()).toMatchObject({ result: 'accepted' });
    expect(ports.hints).toHaveLength(2);
  });

  test('a body with __proto__ in it pollutes nothing', async () => {
    const body = '{"id":"EV_9","event":"room_started","room":{"name":"standup"},"__proto__":{"admin":true}}';
    const answer = await send(body, await sign(body));
    expect(answer.statusCode).toBe(200);
    expect(Reflect.get({}, 'admin')).toBeUndefined();
  });
});

describe('refused, saying what is wrong', () => {
  const past = Math.floor(Date.now() / 1000) - 60;
  test.each([
    ['unsigned', async () => undefined, /Authorization header is missing/],
    ['signed with another secret', (body: string) => sign(body, { secret: 'x'.repeat(40) }), /secret/],
    ['signed for another body', () => sign('{}'), /another body/],
    ['expired', (body: string) => sign(body, { expires: past }), /expired/],
    ['not a token', async () => 'Bearer nonsense', /no valid token/],
  ])('%s', async (_name, authorization, why) => {
    const body = event();
    const answer = await send(body, await authorization(body));
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json()).toMatchObject({ code: 'webhook_rejected' });
    expect(answer.json().detail).toMatch(why);
    expect(ports.hints).toEqual([]);
    expect(counted('none', 'rejected')).toBe(1);
  });

  test('larger than the limit', async () => {
    const body = event({ padding: 'x'.repeat(300_000) });
    const answer = await send(body, await sign(body));
    expect(answer.statusCode).toBe(413);
    expect(answer.json()).toMatchObject({ code: 'payload_too_large' });
    expect(counted('none', 'too_large')).toBe(1);
  });

  test('signed, but not JSON, and of another media type', async () => {
    const answer = await send('not json', await sign('not json'));
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'invalid_request' });
    expect((await send('a=b', undefined, 'text/plain')).statusCode).toBe(415);
    expect(counted('none', 'invalid')).toBe(2);
  });
});
