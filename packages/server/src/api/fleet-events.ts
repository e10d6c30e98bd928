import { z } from 'zod';
import { type ApiInstance, problems, type ResourceDeps } from './api-instance.ts';
import { requireViewer } from './callers.ts';
import { lastEventIdHeader, parseSeq, takeOver } from './event-answer.ts';
import type { FleetStreams } from './fleet-streams.ts';

const description = `Server-sent events about all rooms and workers: \`room\` and \`room-gone\`, \`agent\` and \`agent-gone\`,
\`capacity\`. Each carries the whole new state of what it is about. \`resync\` says that events were missed: read /api/rooms,
/api/agents and /api/capacity again, then go on. A connection begins with what changes from now on; with \`Last-Event-ID\`
it continues after that event, and with one that is not known it begins with \`resync\`.`;

/** What changes in the fleet, as it changes. */
export function registerFleetEvents(
  app: ApiInstance,
  { callers }: ResourceDeps,
  streams: FleetStreams,
): void {
  app.get(
    '/api/events',
    {
      // A HEAD of a stream would never be answered.
      exposeHeadRoute: false,
      schema: {
        tags: ['agents'],
        summary: 'Changes of rooms, queue, workers and capacity',
        description,
        produces: ['text/event-stream'],
        headers: lastEventIdHeader,
        response: { 200: z.string(), ...problems('too_many_viewers', 'shutting_down') },
      },
    },
    async (request, reply) => {
      requireViewer(request.caller);
      const { caller } = request;
      const lastSeq = parseSeq(request.headers['last-event-id']);
      const isWelcome = () => callers.isWelcome(caller);
      await streams.open({ lastSeq, isWelcome }, () => takeOver(request, reply));
      return reply;
    },
  );
}
