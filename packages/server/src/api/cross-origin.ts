import cors, { type FastifyCorsOptions } from '@fastify/cors';
import type { FastifyRequest } from 'fastify';
import type { ApiInstance } from './api-instance.ts';

/** What captions that are embedded elsewhere need, and nothing else: the script, and reading rooms and sessions. */
const open = /^\/(embed\.js|api\/(rooms|sessions)\/[^?]+)(\?|$)/;
/** Browsers ask no more often than this whether they may. */
const preflightSeconds = 7_200;

/**
 * Lets pages of these origins read, with a token that they send themselves: `credentials` stays off, so that browsers
 * send no cookie, and callers of other origins are not known by one either (see `callers.ts`).
 */
export function allowOrigins(app: ApiInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  const forReaders: FastifyCorsOptions = {
    origin: [...origins],
    methods: ['GET', 'HEAD'],
    allowedHeaders: ['authorization', 'last-event-id'],
    exposedHeaders: ['x-request-id', 'retry-after'],
    maxAge: preflightSeconds,
    credentials: false,
  };
  void app.register(cors, {
    delegator: (request: FastifyRequest, decide: (error: null, options: FastifyCorsOptions) => void) =>
      decide(null, open.test(request.url) ? forReaders : { origin: false }),
  });
}
