import { randomUUID } from 'node:crypto';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import Fastify from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { asError, DialogLensError } from '../errors.ts';
import { registerAgents } from './agents.ts';
import type { ApiInstance, ResourceDeps } from './api-instance.ts';
import { type CallerCheck, createCallerCheck } from './callers.ts';
import { EventStreams } from './event-streams.ts';
import { registerEvents } from './events.ts';
import { registerExport } from './export.ts';
import { registerHealth } from './health.ts';
import { isLoopback, requireLocalCaller } from './loopback.ts';
import { swaggerOptions } from './openapi-options.ts';
import type { ApiDeps, ApiLimits } from './ports.ts';
import { sendProblem } from './problem.ts';
import { registerRooms } from './rooms.ts';
import { registerSearch } from './search.ts';
import { registerSessions } from './sessions.ts';
import { registerWebhooks } from './webhooks.ts';

const defaultLimits: ApiLimits = {
  maxViewers: 1000,
  // 100 a second: far above a busy dashboard, far below what guessing a key would need.
  requestsPerMinute: 6000,
  heartbeatMs: 15_000,
  stopGraceMs: 3_000,
  maxWebhookBytes: 256 * 1024,
  maxBodyBytes: 256 * 1024,
};

/** 256 characters of four UTF-8 bytes, each as `%XX`, with room for a message about longer ones. */
const maxParamLength = 8192;

/** The HTTP side of a dispatcher. */
export interface Api {
  app: ApiInstance;
  /**
   * Listens. Idempotent.
   * @throws DialogLensError `port_in_use`, `invalid_config`, `shutting_down`
   */
  start(): Promise<{ url: string; port: number }>;
  /** Says goodbye to live viewers, lets running requests finish, closes every socket. Idempotent. */
  stop(reason: string): Promise<void>;
}

/** Builds the server without listening; `app.inject` works at once. */
export function createApi(deps: ApiDeps): Api {
  const limits = { ...defaultLimits, ...deps.limits };
  const streams = new EventStreams(deps, limits);
  let started: Promise<{ url: string; port: number }> | null = null;
  let stopped: Promise<void> | null = null;
  const app = buildApp({ ...deps, limits }, streams, () => stopped !== null);
  return {
    app,
    start() {
      if (stopped) return Promise.reject(new DialogLensError('shutting_down', 'The API was stopped.'));
      started ??= listen(app, deps).catch((thrown: unknown) => {
        started = null;
        throw thrown;
      });
      return started;
    },
    stop(reason) {
      stopped ??= close(app, streams, limits.stopGraceMs, reason);
      return stopped;
    },
  };
}

function buildApp(deps: ResourceDeps, streams: EventStreams, isStopping: () => boolean): ApiInstance {
  const { logger } = deps;
  const app = Fastify({
    logger: false,
    bodyLimit: deps.limits.maxBodyBytes,
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
  app.setNotFoundHandler(() => {
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
  const callers = createCallerCheck(deps);
  registerPlugins(app, deps.limits);
  registerRoutes(app, deps, callers, streams, isStopping);
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

function registerPlugins(app: ApiInstance, limits: ApiLimits): void {
  void app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
    },
    // TLS ends at a proxy, and it is for the proxy to promise it.
    strictTransportSecurity: false,
  });
  void app.register(rateLimit, {
    max: limits.requestsPerMinute,
    timeWindow: 60_000,
    errorResponseBuilder: (_request, { after }) =>
      new DialogLensError('rate_limited', `More than ${limits.requestsPerMinute} requests in a minute.`, {
        remedy: `Try again in ${after}.`,
      }),
  });
  void app.register(swagger, swaggerOptions);
}

function registerRoutes(
  app: ApiInstance,
  deps: ResourceDeps,
  callers: CallerCheck,
  streams: EventStreams,
  isStopping: () => boolean,
): void {
  const withoutKeys = deps.keys.length === 0;
  void app.register(async (plain) => {
    const scope = plain.withTypeProvider<ZodTypeProvider>();
    registerWebhooks(scope, deps);
  });
  void app.register(async (plain) => {
    const scope = plain.withTypeProvider<ZodTypeProvider>();
    if (withoutKeys) scope.addHook('onRequest', async (request) => requireLocalCaller(request));
    registerHealth(scope, deps, callers, isStopping);
    await registerDocs(scope);
  });
  void app.register(async (plain) => {
    const scope = plain.withTypeProvider<ZodTypeProvider>();
    if (withoutKeys) scope.addHook('onRequest', async (request) => requireLocalCaller(request));
    guard(scope, callers);
    registerRooms(scope, deps);
    registerSessions(scope, deps);
    registerEvents(scope, deps, streams);
    registerExport(scope, deps);
    registerSearch(scope, deps);
    registerAgents(scope, deps);
  });
}

/** Nothing in this scope runs for a caller who is not known. After onRequest, so that guesses count for the rate limit. */
function guard(scope: ApiInstance, callers: CallerCheck): void {
  scope.decorateRequest('caller');
  scope.addHook('preParsing', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    request.caller = await callers.identify(request);
  });
}

/** The page at /docs needs its own scripts and styles, from this server only. */
const docsPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-ancestors 'none'";

async function registerDocs(scope: ApiInstance): Promise<void> {
  scope.get('/openapi.json', { schema: { hide: true } }, async () => scope.swagger());
  await scope.register(swaggerUi, { routePrefix: '/docs', staticCSP: docsPolicy });
}

async function listen(
  app: ApiInstance,
  { host, port, keys }: ApiDeps,
): Promise<{ url: string; port: number }> {
  if (keys.length === 0 && !isLoopback(host)) {
    throw new DialogLensError('invalid_config', 'Without API keys only this machine may be served.', {
      field: 'DIALOGLENS_API_KEYS',
      remedy: 'Set DIALOGLENS_API_KEYS, or leave DIALOGLENS_HOST at 127.0.0.1.',
    });
  }
  try {
    await app.listen({ host, port });
  } catch (thrown) {
    throw listenError(asError(thrown), host, port);
  }
  const address = app.server.address();
  const actual = typeof address === 'object' && address !== null ? address.port : port;
  const shown = host.includes(':') ? `[${host}]` : host;
  return { url: `http://${shown}:${actual}`, port: actual };
}

function listenError(error: Error, host: string, port: number): Error {
  const code: unknown = Reflect.get(error, 'code');
  if (code === 'EADDRINUSE') {
    return new DialogLensError('port_in_use', `Port ${port} of ${host} is in use by another program.`, {
      field: 'DIALOGLENS_PORT',
      remedy: 'Stop that program, or choose another port with DIALOGLENS_PORT or --port.',
      cause: error,
    });
  }
  if (code === 'EACCES') {
    return new DialogLensError('invalid_config', `This user may not listen on port ${port}.`, {
      field: 'DIALOGLENS_PORT',
      remedy: 'Choose a port above 1023.',
      cause: error,
    });
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new DialogLensError('invalid_config', `${host} is not an address of this machine.`, {
      field: 'DIALOGLENS_HOST',
      remedy: 'Use an address of this machine, or 0.0.0.0 for all.',
      cause: error,
    });
  }
  return error;
}

async function close(
  app: ApiInstance,
  streams: EventStreams,
  graceMs: number,
  reason: string,
): Promise<void> {
  streams.stop(reason);
  const closing = app.close();
  const cut = setTimeout(() => app.server.closeAllConnections(), graceMs);
  try {
    await closing;
  } finally {
    clearTimeout(cut);
  }
}
