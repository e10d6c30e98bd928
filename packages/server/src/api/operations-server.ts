import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { createCallerCheck } from './callers.ts';
import { registerHealth } from './health.ts';
import { createHttpApp, type Listening, listening } from './http-app.ts';
import { KeyRing } from './key-ring.ts';
import { isLoopback, requireLocalCaller } from './loopback.ts';
import type { ApiDeps } from './ports.ts';

export type OperationsDeps = Pick<
  ApiDeps,
  'host' | 'port' | 'keys' | 'readiness' | 'metricsText' | 'logger' | 'clock'
>;

const stopGraceMs = 1_000;
/** Nothing here takes a body. */
const bodyLimit = 1_024;

/**
 * What a worker process serves: `/livez`, `/readyz` and `/metrics`. Metrics hold figures only, no names; with keys they
 * are for those who have one, without keys for everybody whom the address lets in.
 */
export function createOperationsServer(deps: OperationsDeps): Listening {
  const app = createHttpApp({ logger: deps.logger, bodyLimit });
  const ring = new KeyRing({ ...deps, stored: null, opensWithoutKeys: true });
  const callers = createCallerCheck({ ...deps, ring, cookies: null, tokens: null });
  const isGuarded = deps.keys.length === 0 && isLoopback(deps.host);
  void app.register(async (plain) => {
    const scope = plain.withTypeProvider<ZodTypeProvider>();
    if (isGuarded) scope.addHook('onRequest', async (request) => requireLocalCaller(request));
    registerHealth(scope, { ...deps, callers }, () => server.isStopping);
  });
  const server = listening(app, {
    host: deps.host,
    port: deps.port,
    portSetting: { variable: 'DIALOGLENS_AGENT_PORT', flag: '--port' },
    stopGraceMs,
  });
  return server;
}
