import {
  cleanTextSchema,
  coverageViewSchema,
  pagedSchema,
  pageQuerySchema,
  roomNameSchema,
  segmentSchema,
  sessionViewSchema,
} from '@dialoglens/protocol';
import { z } from 'zod';
import { DialogLensError } from '../errors.ts';
import type { Session, Store } from '../store/store.ts';
import { type ApiInstance, problems, type ResourceDeps } from './api-instance.ts';
import { type Caller, requireRoomReader, roomScope } from './callers.ts';
import { toPage } from './paging.ts';

/** Path parameter of everything that concerns one session. */
export const sessionParams = z.object({ id: cleanTextSchema.min(1).max(64) });

/**
 * The session, if it exists and the caller may read its room.
 * @throws DialogLensError `not_found`, `forbidden`
 */
export async function readableSession(
  store: Pick<Store, 'record'>,
  caller: Caller,
  id: string,
): Promise<Session> {
  const session = await store.record.getSession(id);
  if (!session) throw new DialogLensError('not_found', 'There is no session with this id.', { field: 'id' });
  requireRoomReader(caller, session.room);
  return session;
}

/** The record: sessions, their segments and what became of their audio. */
export function registerSessions(app: ApiInstance, { store }: ResourceDeps): void {
  app.get(
    '/api/sessions',
    {
      schema: {
        tags: ['sessions'],
        summary: 'Sessions, the newest first',
        querystring: pageQuerySchema.extend({ room: roomNameSchema.optional() }),
        response: { 200: pagedSchema(sessionViewSchema), ...problems() },
      },
    },
    async (request) => {
      const room = roomScope(request.caller, request.query.room);
      return store.record.listSessions(toPage(request.query), room === undefined ? {} : { room });
    },
  );
  app.get(
    '/api/sessions/:id',
    {
      schema: {
        tags: ['sessions'],
        summary: 'One session',
        params: sessionParams,
        response: { 200: sessionViewSchema, ...problems('not_found') },
      },
    },
    (request) => readableSession(store, request.caller, request.params.id),
  );
  registerSegments(app, store);
  registerCoverage(app, store);
}

function registerSegments(app: ApiInstance, store: ResourceDeps['store']): void {
  app.get(
    '/api/sessions/:id/segments',
    {
      schema: {
        tags: ['sessions'],
        summary: 'Finals in reading order',
        params: sessionParams,
        querystring: pageQuerySchema,
        response: { 200: pagedSchema(segmentSchema), ...problems('not_found') },
      },
    },
    async (request) => {
      const session = await readableSession(store, request.caller, request.params.id);
      return store.record.segments(session.id, toPage(request.query));
    },
  );
}

function registerCoverage(app: ApiInstance, store: ResourceDeps['store']): void {
  app.get(
    '/api/sessions/:id/coverage',
    {
      schema: {
        tags: ['sessions'],
        summary: 'What became of every second of every track',
        params: sessionParams,
        response: { 200: coverageViewSchema, ...problems('not_found') },
      },
    },
    async (request) => {
      const session = await readableSession(store, request.caller, request.params.id);
      const tracks = await store.record.coverage(session.id);
      const complete = tracks.every((track) => track.gapMs === 0 && track.unexplainedMs === 0);
      return { sessionId: session.id, complete, tracks };
    },
  );
}
