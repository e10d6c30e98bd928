import { z } from 'zod';
import { type ApiInstance, problems, type ResourceDeps } from './api-instance.ts';
import type { EventStreams } from './event-streams.ts';
import { endSeq } from './live-feed.ts';
import { readableSession, sessionParams } from './sessions.ts';

const description = `Server-sent events. \`segment\` carries a partial or final, \`session\` with status \`ended\` is the last one,
\`resync\` says that events were missed and /segments should be read again. A connection begins with what happens from
now on; with \`Last-Event-ID\` it continues after that event.`;

/** Partials and finals as they are made. */
export function registerEvents(
  app: ApiInstance,
  { store, callers }: ResourceDeps,
  streams: EventStreams,
): void {
  app.get(
    '/api/sessions/:id/events',
    {
      // A HEAD of a stream would never be answered.
      exposeHeadRoute: false,
      schema: {
        tags: ['sessions'],
        summary: 'Live captions of a session',
        description,
        produces: ['text/event-stream'],
        params: sessionParams,
        headers: z.object({ 'last-event-id': z.string().max(64).optional() }),
        response: {
          200: z.string(),
          204: z.undefined().describe('The session is over and this reader has seen its end.'),
          ...problems('not_found', 'too_many_viewers', 'shutting_down'),
        },
      },
    },
    async (request, reply) => {
      const session = await readableSession(store, request.caller, request.params.id);
      const lastSeq = parseSeq(request.headers['last-event-id']);
      // A browser connects again after every end; this answer is how it is told to stop.
      if (session.endedAt !== null && lastSeq === endSeq) return reply.code(204).send();
      const { caller } = request;
      const isWelcome = () => callers.isWelcome(caller);
      await streams.open({ session, lastSeq, isWelcome }, () => {
        reply.hijack();
        reply.raw.writeHead(200, {
          'content-type': 'text/event-stream; charset=utf-8',
          'cache-control': 'no-cache, no-transform',
          'x-accel-buffering': 'no',
          'x-request-id': request.id,
        });
        return reply.raw;
      });
      return reply;
    },
  );
}

/** Null when there is none; -1, which no feed knows, when it is not one of ours. */
function parseSeq(header: string | undefined): number | null {
  if (header === undefined || header === '') return null;
  return /^\d{1,16}$/.test(header) ? Number(header) : -1;
}
