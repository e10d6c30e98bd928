import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

/** Where a reader of events goes on. */
export const lastEventIdHeader = z.object({ 'last-event-id': z.string().max(64).optional() });

/** Null when there is none; -1, which no row of events knows, when it is not one of ours. */
export function parseSeq(header: string | undefined): number | null {
  if (header === undefined || header === '') return null;
  return /^\d{1,16}$/.test(header) ? Number(header) : -1;
}

/** Begins an answer of server-sent events and gives out its socket. */
export function takeOver(
  request: Pick<FastifyRequest, 'id'>,
  reply: Pick<FastifyReply, 'getHeaders' | 'raw'> & { hijack(): unknown },
): ServerResponse {
  reply.hijack();
  reply.raw.writeHead(200, {
    // What plugins have set: who of another origin may read it.
    ...(reply.getHeaders() as OutgoingHttpHeaders),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
    'x-request-id': request.id,
  });
  return reply.raw;
}
