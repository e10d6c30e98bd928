import { z } from 'zod';
import { type ApiInstance, problems, type ResourceDeps } from './api-instance.ts';
import { lastEventIdHeader, parseSeq, takeOver } from './event-answer.ts';
import type { EventStreams } from './event-streams.ts';
import { readableSession, sessionParams } from './sessions.ts';
import { endSeq } from './viewer.ts';

const description = `Server-sent events. \`segment\` carries a partial or final, \`session\` with status \`ended\` is the last one,
\`captions\` says that the captions of a speaker do otherwise than before and \`room-captions\` how those of the room do as
a whole (also at the beginning), \`resync\` says that events were missed and /segments should be read again. A connection begins with what happens from
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
        headers: lastEventIdHeader,
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
      await streams.open({ session, lastSeq, isWelcome }, () => takeOver(request, reply));
      return reply;
    },
  );
}
