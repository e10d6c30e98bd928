import type { IncomingMessage, ServerResponse } from 'node:http';
import { problemSchema } from '@dialoglens/protocol';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type ErrorCode, errorCodes } from '../errors.ts';
import type { Caller, CallerCheck } from './callers.ts';
import type { KeyRing } from './key-ring.ts';
import type { ApiDeps, ApiLimits } from './ports.ts';
import type { SignInCookies } from './sign-in-cookie.ts';

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
export type ResourceDeps = ApiDeps & {
  limits: ApiLimits;
  ring: KeyRing;
  cookies: SignInCookies;
  callers: CallerCheck;
};

/** What any route under /api can meet: it looks at who calls, and reads the store. */
const guarded = [
  'rate_limited',
  'unauthenticated',
  'token_expired',
  'forbidden',
  'invalid_request',
  'store_unavailable',
] as const satisfies ErrorCode[];

/** What a route under /api that takes a body and records something can meet besides. */
export const writeProblems = [
  'payload_too_large',
  'unsupported_media_type',
  'store_read_only',
  'store_full',
  'shutting_down',
] as const satisfies ErrorCode[];

type ProblemStatus = (typeof errorCodes)[ErrorCode]['status'];
type ProblemSchema = z.ZodType<z.output<typeof problemSchema>>;
type Problems = Partial<Record<ProblemStatus, ProblemSchema>>;

/** The error answers of a route under /api, for the document: those that every one can give, and its own. */
export function problems(...codes: ErrorCode[]): Problems {
  return problemsOf([...guarded, ...codes, 'internal']);
}

/** The error answers of a route outside /api, for the document: these, and what nobody foresaw. */
export function openProblems(...codes: ErrorCode[]): Problems {
  return problemsOf([...codes, 'internal']);
}

function problemsOf(codes: readonly ErrorCode[]): Problems {
  const statuses = [...new Set(codes.map((code) => errorCodes[code].status))].sort((a, b) => a - b);
  const having = (status: ProblemStatus) => codes.filter((code) => errorCodes[code].status === status);
  return Object.fromEntries(statuses.map((status) => [status, problemWith(having(status))]));
}

function problemWith(codes: readonly ErrorCode[]): ProblemSchema {
  const sentences = codes.map((code) => `\`${code}\`: ${errorCodes[code].title}`);
  return problemSchema.extend({ code: z.enum(codes) }).describe(sentences.join(' '));
}
