import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { DialogLensError } from '../errors.ts';
import { registerAgents } from './agents.ts';
import type { ApiInstance, ResourceDeps } from './api-instance.ts';
import { createCallerCheck } from './callers.ts';
import { registerCorrections } from './corrections.ts';
import { allowOrigins } from './cross-origin.ts';
import { EventStreams } from './event-streams.ts';
import { registerEvents } from './events.ts';
import { registerExport } from './export.ts';
import { registerFleetEvents } from './fleet-events.ts';
import { FleetStreams } from './fleet-streams.ts';
import { registerHealth } from './health.ts';
import { createHttpApp, type Listening, listening } from './http-app.ts';
import { registerJoin } from './join.ts';
import { KeyRing } from './key-ring.ts';
import { registerKeys } from './keys.ts';
import { apiPortSetting } from './listen-error.ts';
import { isLoopback, requireLocalCaller } from './loopback.ts';
import { swaggerOptions } from './openapi-options.ts';
import { registerOperations } from './operations.ts';
import type { ApiDeps, ApiLimits } from './ports.ts';
import { registerRemoval } from './removal.ts';
import { registerReservations } from './reservations.ts';
import { registerRooms } from './rooms.ts';
import { registerSearch } from './search.ts';
import { registerSessions } from './sessions.ts';
import { registerSettings } from './settings.ts';
import { registerMe, registerSignIn } from './sign-in.ts';
import { SignInCookies } from './sign-in-cookie.ts';
import { ViewerPlaces } from './viewer-places.ts';
import { serveWebPages, type WebServing } from './web-pages.ts';
import { registerWebhooks } from './webhooks.ts';

const defaultLimits: ApiLimits = {
  maxViewers: 1000,
  // 100 a second: far above a busy dashboard, far below what guessing a key would need.
  requestsPerMinute: 6000,
  signInsPerMinute: 20,
  heartbeatMs: 15_000,
  fleetLookMs: 1_000,
  stopGraceMs: 3_000,
  maxWebhookBytes: 256 * 1024,
  maxBodyBytes: 256 * 1024,
};

/** The HTTP side of a dispatcher. Stopping says goodbye to live viewers first. */
export interface Api extends Listening {
  app: ApiInstance;
}

/** Builds the server without listening; `app.inject` works at once. */
export function createApi(deps: ApiDeps): Api {
  const limits = { ...defaultLimits, ...deps.limits };
  const streams = createStreams(deps, limits);
  const ring = new KeyRing({
    ...deps,
    stored: deps.store.keys,
    opensWithoutKeys: isLoopback(deps.host),
  });
  const app = buildApp({ ...deps, limits, ...access(deps, ring) }, streams, () => server.isStopping);
  const server = listening(app, {
    host: deps.host,
    port: deps.port,
    portSetting: apiPortSetting,
    stopGraceMs: limits.stopGraceMs,
    onStop: (reason) => streams.stop(reason),
  });
  // Whoever closes the app without `stop` lets go of the viewers all the same.
  app.addHook('onClose', async () => streams.stop('server closed'));
  return {
    app,
    get isStopping() {
      return server.isStopping;
    },
    async start() {
      requireKeys(deps);
      await ring.isOpen();
      return server.start();
    },
    stop: (reason) => server.stop(reason),
  };
}

/** The live streams of this process; they share their places. */
interface Streams {
  session: EventStreams;
  fleet: FleetStreams;
  stop(reason: string): void;
}

function createStreams(deps: ApiDeps, limits: ApiLimits): Streams {
  const places = new ViewerPlaces(limits.maxViewers);
  const session = new EventStreams(deps, limits, places);
  const fleet = new FleetStreams(deps, limits, places);
  return {
    session,
    fleet,
    stop(reason) {
      places.close();
      session.stop(reason);
      fleet.stop(reason);
    },
  };
}

/** Who may do what. */
function access(deps: ApiDeps, ring: KeyRing): Pick<ResourceDeps, 'ring' | 'cookies' | 'callers'> {
  const cookies = new SignInCookies({ ring, secret: deps.cookieSecret, nowMs: () => deps.clock.nowMs() });
  return { ring, cookies, callers: createCallerCheck({ ...deps, ring, cookies }) };
}

/** @throws DialogLensError `invalid_config` */
function requireKeys({ keys, host }: ApiDeps): void {
  if (keys.length > 0 || isLoopback(host)) return;
  throw new DialogLensError('invalid_config', 'Without API keys only this machine may be served.', {
    field: 'DIALOGLENS_API_KEYS',
    remedy: 'Set DIALOGLENS_API_KEYS, or leave DIALOGLENS_HOST at 127.0.0.1.',
  });
}

function buildApp(deps: ResourceDeps, streams: Streams, isStopping: () => boolean): ApiInstance {
  const web = deps.web ? serveWebPages(deps.web) : null;
  const app = createHttpApp({
    logger: deps.logger,
    bodyLimit: deps.limits.maxBodyBytes,
    ...(web && { notFound: web.notFound }),
  });
  // First, so that a page may read also that it asked too often.
  allowOrigins(app, deps.allowedOrigins ?? []);
  registerPlugins(app, deps.limits);
  registerRoutes(app, deps, streams, isStopping);
  if (web) registerWeb(app, deps, web);
  return app;
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
  streams: Streams,
  isStopping: () => boolean,
): void {
  void app.register(async (plain) => {
    const scope = plain.withTypeProvider<ZodTypeProvider>();
    registerWebhooks(scope, deps);
  });
  void app.register(async (plain) => {
    const scope = plain.withTypeProvider<ZodTypeProvider>();
    keepLocal(scope, deps);
    registerHealth(scope, deps, isStopping);
    await registerDocs(scope);
  });
  void app.register(async (plain) => {
    const scope = plain.withTypeProvider<ZodTypeProvider>();
    keepLocal(scope, deps);
    registerSignIn(scope, deps);
  });
  void app.register(async (plain) => {
    const scope = plain.withTypeProvider<ZodTypeProvider>();
    guard(scope, deps);
    registerRooms(scope, deps);
    registerJoin(scope, deps);
    registerReservations(scope, deps);
    registerSessions(scope, deps);
    registerCorrections(scope, deps);
    registerRemoval(scope, deps);
    registerEvents(scope, deps, streams.session);
    registerFleetEvents(scope, deps, streams.fleet);
    registerExport(scope, deps);
    registerSearch(scope, deps);
    registerAgents(scope, deps);
    registerMe(scope);
    registerKeys(scope, deps);
    registerSettings(scope, deps);
    registerOperations(scope, deps);
  });
}

/** The pages are open to everybody whom the address lets in; what they show is not. */
function registerWeb(app: ApiInstance, deps: ResourceDeps, web: WebServing): void {
  void app.register(async (plain) => {
    const scope = plain.withTypeProvider<ZodTypeProvider>();
    keepLocal(scope, deps);
    await web.register(scope);
  });
}

/** As long as there are no keys, nobody but this machine is answered. */
function keepLocal(scope: ApiInstance, { ring }: Pick<ResourceDeps, 'ring'>): void {
  scope.addHook('onRequest', async (request) => {
    if (ring.seemsOpen) requireLocalCaller(request);
  });
}

/** Nothing in this scope runs for a caller who is not known. After onRequest, so that guesses count for the rate limit. */
function guard(scope: ApiInstance, { ring, callers }: ResourceDeps): void {
  scope.decorateRequest('caller');
  scope.addHook('preParsing', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    if (await ring.isOpen()) requireLocalCaller(request);
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
