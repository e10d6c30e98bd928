import { beforeEach, describe, expect, test } from 'vitest';
import { FakeApiPorts } from '../testing/fake-api-ports.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { createApi } from './server.ts';

const noon = Date.UTC(2026, 2, 1, 12);
let ports: FakeApiPorts;
let app: ReturnType<typeof createApi>['app'];

beforeEach(() => {
  ports = new FakeApiPorts(new ManualClock(noon));
  app = createApi(ports.deps()).app;
  return () => app.close();
});

const url = (room: string) => `/api/rooms/${encodeURIComponent(room)}/reserve`;
const reserve = (room: string, payload: object) => app.inject({ method: 'POST', url: url(room), payload });

describe('reservations', () => {
  test('take an instant in either form and keep the slot for a while', async () => {
    const answer = await reserve('board/1', { startsAt: '2026-03-01T14:00:00+01:00' });
    expect(answer.statusCode).toBe(200);
    const startsAt = Date.UTC(2026, 2, 1, 13);
    const made = { room: 'board/1', startsAt, endsAt: startsAt + 15 * 60_000, status: 'planned' };
    expect(answer.json()).toEqual(made);
    await reserve('early', { startsAt: noon, holdMinutes: 1 });
    const listed: { items: { room: string }[] } = (await app.inject('/api/reservations')).json();
    expect(listed.items).toEqual([
      { room: 'early', startsAt: noon, endsAt: noon + 60_000, status: 'planned' },
      made,
    ]);
    expect(ports.reserved[0]?.actor).toBe('key:anonymous');
  });

  test('are cancelled, once', async () => {
    await reserve('board', { startsAt: noon });
    expect((await app.inject({ method: 'DELETE', url: url('board') })).json()).toEqual({
      success: true,
      room: 'board',
    });
    const again = await app.inject({ method: 'DELETE', url: url('board') });
    expect(again.statusCode).toBe(404);
    expect(again.json()).toMatchObject({ code: 'not_found', field: 'room' });
  });

  test.each([
    ['no start', {}, 'startsAt'],
    ['a time without a zone', { startsAt: '2026-03-01T14:00:00' }, 'startsAt'],
    ['a time long past', { startsAt: noon - 3_600_000 }, 'startsAt'],
    ['a time far ahead', { startsAt: '2036-01-01T00:00:00Z' }, 'startsAt'],
    ['a hold without end', { startsAt: noon, holdMinutes: 1000 }, 'holdMinutes'],
    ['an unknown key', { startsAt: noon, hold: 5 }, 'hold'],
  ])('refuse %s, naming the field', async (_name, body, field) => {
    const answer = await reserve('board', body);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'invalid_request', field });
    expect(ports.reserved).toEqual([]);
  });
});
