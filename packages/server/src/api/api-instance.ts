import type { IncomingMessage, ServerResponse } from 'node:http';
import { problemSchema } from '@dialoglens/protocol';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Caller } from './callers.ts';
import type { ApiDeps, ApiLimits } from './ports.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set for every route under /api before its handler runs. */
    caller: Caller;
  }
}

/** Fastify with zod as its schema language. */
export type ApiInstance = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** What every resource is registered with. */
export type ResourceDeps = ApiDeps & { limits: ApiLimits };

/** The answers that any route under /api can give besides its own. */
export const problems = {
  '4xx': problemSchema.describe('What is wrong with the request.'),
  '5xx': problemSchema.describe('What is wrong on this side.'),
} as const;
