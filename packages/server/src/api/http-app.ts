import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { asError, DialogLensError } from '../errors.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { ApiInstance } from './api-instance.ts';
import { type ListenPlace, listenError } from './listen-error.ts';
import { localAddress } from './loopback.ts';
import { sendProblem } from './problem.ts';

/** 256 characters of four UTF-8 bytes, each as `%XX`, with room for a message about longer ones. */
const maxParamLength = 8192;

export interface HttpAppOptions {
  logger: Logger;
  /** Largest body, bytes. */
  bodyLimit: number;
  /** Answers what no route does; null leaves it to a problem. */
  notFound?: (request: FastifyRequest, reply: FastifyReply) => FastifyReply | null;
}

/** A server without routes yet, whose every error is a problem and whose every answer carries a request id. */
export function createHttpApp({ logger, bodyLimit, notFound }: HttpAppOptions): ApiInstance {
  const app = Fastify({
    logger: false,
    bodyLimit,
    requestTimeout: 30_000,
    keepAliveTimeout: 5_000,
    forceCloseConnections: 'idle',
    genReqId: () => randomUUID(),
    routerOptions: { maxParamLength },
    frameworkErrors: (error, request, reply) => {
      void sendProblem(error, request, reply, logger);
    },
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, logger));
  app.setNotFoundHandler((request, reply) => {
    const answer = notFound?.(request, reply) ?? null;
    if (answer) return answer;
    throw new DialogLensError('not_found', 'There is no such route.', { remedy: '/docs lists all routes.' });
  });
  takeJsonBodies(app);
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  app.addHook('onResponse', async (request, reply) => {
    const { url: route = 'none' } = request.routeOptions;
    const ms = Math.round(reply.elapsedTime);
    logger.debug(
      { requestId: request.id, method: request.method, route, status: reply.statusCode, ms },
      'answered',
    );
  });
  return app;
}

/** JSON only; an empty body is no body, whatever its type says. */
function takeJsonBodies(app: ApiInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.length === 0) return done(null, undefined);
    return parse(request, String(body), done);
  });
}

/** A server that listens until it is stopped. */
export interface Listening {
  /**
   * Listens. Idempotent.
   * @throws DialogLensError `port_in_use`, `invalid_config`, `shutting_down`
   */
  start(): Promise<{ url: string; port: number }>;
  /** Lets running requests finish, closes every socket. Idempotent. */
  stop(reason: string): Promise<void>;
  /** True once it was told to stop. */
  readonly isStopping: boolean;
}

export interface ListenOptions extends ListenPlace {
  /** How long running requests may go on after stop. */
  stopGraceMs: number;
  /** What to do first when it stops. */
  onStop?: (reason: string) => void;
}

/** Gives `app` an address. */
export function listening(app: ApiInstance, options: ListenOptions): Listening {
  let started: Promise<{ url: string; port: number }> | null = null;
  let stopped: Promise<void> | null = null;
  return {
    get isStopping() {
      return stopped !== null;
    },
    start() {
      if (stopped) return Promise.reject(new DialogLensError('shutting_down', 'The API was stopped.'));
      started ??= listen(app, options).catch((thrown: unknown) => {
        started = null;
        throw thrown;
      });
      return started;
    },
    stop(reason) {
      stopped ??= close(app, options, reason);
      return stopped;
    },
  };
}

async function listen(app: ApiInstance, options: ListenOptions): Promise<{ url: string; port: number }> {
  const { host, port } = options;
  try {
    await app.listen({ host, port });
  } catch (thrown) {
    throw listenError(asError(thrown), options);
  }
  const address = app.server.address();
  const actual = typeof address === 'object' && address !== null ? address.port : port;
  return { url: `http://${localAddress(host)}:${actual}`, port: actual };
}

async function close(
  app: ApiInstance,
  { onStop, stopGraceMs }: ListenOptions,
  reason: string,
): Promise<void> {
  onStop?.(reason);
  const closing = app.close();
  const cut = setTimeout(() => app.server.closeAllConnections(), stopGraceMs);
  try {
    await closing;
  } finally {
    clearTimeout(cut);
  }
}
