import type { Problem } from '@dialoglens/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { asError, DialogLensError, type ErrorCode, errorCodes } from '../errors.ts';
import { issueWords } from '../issue-words.ts';
import type { Logger } from '../observability/telemetry.ts';

/** Media type of every error answer. */
export const problemType = 'application/problem+json; charset=utf-8';

/** The error as RFC 9457 wants it. `instance` is the path of the request, without its query. */
export function toProblem(error: DialogLensError, request: Pick<FastifyRequest, 'id' | 'url'>): Problem {
  const { status, title } = errorCodes[error.code];
  return {
    type: `urn:dialoglens:problem:${error.code}`,
    title,
    status,
    detail: error.message,
    code: error.code,
    ...(error.field === undefined ? {} : { field: error.field }),
    ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
    instance: request.url.split('?', 1)[0] ?? '/',
    requestId: request.id,
  };
}

/** Errors that the same request may not meet again in a few seconds. */
const passing: ReadonlySet<ErrorCode> = new Set([
  'too_many_viewers',
  'export_busy',
  'shutting_down',
  'store_unavailable',
  'livekit_unreachable',
]);

/** Answers any thrown thing as a problem. What nobody foresaw is logged and tells the caller nothing but its request id. */
export async function sendProblem(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  logger: Logger,
): Promise<void> {
  const error = toDialogLensError(thrown, request);
  if (error.code === 'internal') {
    const route = request.routeOptions?.url ?? 'none';
    logger.error({ requestId: request.id, route, err: asError(thrown) }, 'request failed');
  }
  if (passing.has(error.code)) reply.header('retry-after', '5');
  await reply
    .code(error.status)
    .type(problemType)
    .send(JSON.stringify(toProblem(error, request)));
}

/** Gives every error of Fastify, of zod and of ours one of the codes of the table. */
export function toDialogLensError(thrown: unknown, request: Pick<FastifyRequest, 'url'>): DialogLensError {
  if (thrown instanceof DialogLensError) return thrown;
  if (hasZodFastifySchemaValidationErrors(thrown)) return validationError(thrown);
  const code = typeof thrown === 'object' && thrown !== null ? Reflect.get(thrown, 'code') : undefined;
  const known = typeof code === 'string' ? frameworkErrors[code] : undefined;
  if (known) return known(request);
  const status =
    typeof thrown === 'object' && thrown !== null ? Reflect.get(thrown, 'statusCode') : undefined;
  if (status === 400) return new DialogLensError('invalid_request', 'The request could not be read.');
  return new DialogLensError('internal', 'An unexpected error stopped this request.', {
    remedy: 'Look for the request id in the log of this process.',
    cause: thrown,
  });
}

/** The parts of zod's report that Fastify hands over. */
interface Refusal {
  validation: { instancePath: string; message?: string; keyword: string; params: Record<string, unknown> }[];
  validationContext?: string;
}

function validationError(refusal: Refusal): DialogLensError {
  const first = refusal.validation[0];
  const path = (first?.instancePath ?? '/').split('/').filter(Boolean);
  const unknown = unknownKeys(first?.params);
  const field = [...path, ...unknown.slice(0, 1)].join('.') || (refusal.validationContext ?? 'body');
  const what = issueWords(first?.message ?? 'is not valid');
  return new DialogLensError('invalid_request', `${field}: ${what}`, {
    field,
    remedy: `Correct "${field}"; /docs shows what this route takes.`,
  });
}

function unknownKeys(params: Record<string, unknown> | undefined): string[] {
  const keys = params?.keys;
  return Array.isArray(keys) ? keys.filter((key) => typeof key === 'string') : [];
}

type Translate = (request: Pick<FastifyRequest, 'url'>) => DialogLensError;

const invalidJson: Translate = () =>
  new DialogLensError('invalid_request', 'The body is not JSON.', {
    field: 'body',
    remedy: 'Send one JSON object, or no body at all.',
  });

const badPath: Translate = ({ url }) => {
  const field = url.startsWith('/api/rooms/') ? 'room' : 'path';
  return new DialogLensError('invalid_request', `${field}: is not valid percent-encoded UTF-8`, {
    field,
    remedy: 'Encode it with encodeURIComponent; half of a surrogate pair cannot be encoded.',
  });
};

const longPath: Translate = ({ url }) => {
  const field = url.startsWith('/api/rooms/') ? 'room' : 'path';
  return new DialogLensError('invalid_request', `${field}: is too long`, { field });
};

/** Errors that Fastify raises before a handler runs. */
const frameworkErrors: Record<string, Translate> = {
  FST_ERR_BAD_URL: badPath,
  FST_ERR_MAX_PARAM_LENGTH: longPath,
  FST_ERR_CTP_INVALID_JSON_BODY: invalidJson,
  FST_ERR_CTP_EMPTY_JSON_BODY: invalidJson,
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () =>
    new DialogLensError('invalid_request', 'The body is not as long as Content-Length says.', {
      field: 'Content-Length',
    }),
  FST_ERR_CTP_BODY_TOO_LARGE: () =>
    new DialogLensError('payload_too_large', 'The body is larger than this route takes.', { field: 'body' }),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () =>
    new DialogLensError('unsupported_media_type', 'This route takes JSON only.', {
      field: 'Content-Type',
      remedy: 'Send Content-Type: application/json.',
    }),
};
