import {
  cancelAnswerSchema,
  pagedSchema,
  pageQuerySchema,
  reservationViewSchema,
  reserveRequestSchema,
  roomNameSchema,
} from '@dialoglens/protocol';
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import { DialogLensError } from '../errors.ts';
import { type ApiInstance, problems, type ResourceDeps, writeProblems } from './api-instance.ts';
import { actorOf, requireOperator, requireViewer } from './callers.ts';
import { pageByKey } from './paging.ts';

const roomParams = z.object({ room: roomNameSchema });
const longestAheadMs = 366 * 24 * 3_600_000;

/** Slots kept for rooms that are to begin. */
export function registerReservations(app: ApiInstance, { control, clock }: ResourceDeps): void {
  app.get(
    '/api/reservations',
    {
      schema: {
        tags: ['rooms'],
        summary: 'Rooms for which a slot is reserved, the first to begin first',
        querystring: pageQuerySchema,
        response: { 200: pagedSchema(reservationViewSchema), ...problems() },
      },
    },
    async (request) => {
      requireViewer(request.caller);
      return pageByKey(await control.reservations(), keyOf, request.query);
    },
  );
  app.post(
    '/api/rooms/:room/reserve',
    {
      schema: {
        tags: ['rooms'],
        summary: 'Keep a slot for a room that is to begin',
        description: `From five minutes before \`startsAt\` on, a free slot is kept for the room, or the first that becomes free; other rooms wait.
It is given up when the room has no agent within \`holdMinutes\` of its start. A later reservation replaces an earlier one.
The room gets its agent as any other does: start it, or let its metadata ask.`,
        params: roomParams,
        body: reserveRequestSchema,
        response: { 200: reservationViewSchema, ...problems('queue_full', ...writeProblems) },
      },
    },
    async (request) => {
      requireOperator(request.caller);
      const { startsAt, holdMinutes } = request.body;
      const endsAt = startsAt + holdMinutes * 60_000;
      checkTimes(startsAt, endsAt, clock);
      const reservation = { room: request.params.room, startsAt, endsAt };
      return control.reserve(reservation, actorOf(request.caller));
    },
  );
  registerCancel(app, control);
}

function registerCancel(app: ApiInstance, control: ResourceDeps['control']): void {
  app.delete(
    '/api/rooms/:room/reserve',
    {
      schema: {
        tags: ['rooms'],
        summary: 'Give up the slot reserved for a room',
        params: roomParams,
        response: { 200: cancelAnswerSchema, ...problems('not_found', ...writeProblems) },
      },
    },
    async (request) => {
      requireOperator(request.caller);
      const { room } = request.params;
      const wasThere = await control.cancelReservation(room, actorOf(request.caller));
      if (wasThere) return { success: true as const, room };
      throw new DialogLensError('not_found', 'No slot is reserved for this room.', {
        field: 'room',
        remedy: 'GET /api/reservations lists those there are.',
      });
    },
  );
}

/** Pages follow the order of the list: by start, then name. */
function keyOf({ startsAt, room }: { startsAt: number; room: string }): string {
  return `${String(startsAt).padStart(16, '0')} ${room}`;
}

function checkTimes(startsAt: number, endsAt: number, clock: Pick<Clock, 'nowMs'>): void {
  const fault =
    endsAt <= clock.nowMs()
      ? 'is so long ago that the slot would be given up already'
      : startsAt > clock.nowMs() + longestAheadMs
        ? 'is more than a year ahead'
        : null;
  if (fault === null) return;
  throw new DialogLensError('invalid_request', `startsAt: ${fault}`, {
    field: 'startsAt',
    remedy: 'Send milliseconds since the Unix epoch, or ISO 8601 such as 2026-03-01T14:00:00+01:00.',
  });
}
