import { readinessSchema } from '@dialoglens/protocol';
import { z } from 'zod';
import { type ApiInstance, openProblems, type ResourceDeps } from './api-instance.ts';
import { requireViewer } from './callers.ts';
import { isDirectLocal } from './loopback.ts';

/** Probes and metrics. The probes are open to everybody and say nothing about rooms. */
export function registerHealth(
  app: ApiInstance,
  { readiness, metricsText, callers }: Pick<ResourceDeps, 'readiness' | 'metricsText' | 'callers'>,
  isStopping: () => boolean,
): void {
  const unlimited = { config: { rateLimit: false as const } };
  app.get(
    '/livez',
    {
      ...unlimited,
      schema: {
        tags: ['operations'],
        summary: 'The process runs',
        security: [],
        response: { 200: z.object({ status: z.literal('ok') }), ...openProblems('forbidden') },
      },
    },
    async () => ({ status: 'ok' as const }),
  );
  app.get(
    '/readyz',
    {
      ...unlimited,
      schema: {
        tags: ['operations'],
        summary: 'The process can do its work',
        security: [],
        response: { 200: readinessSchema, 503: readinessSchema, ...openProblems('forbidden') },
      },
    },
    async (_request, reply) => {
      if (isStopping()) return reply.code(503).send({ ready: false, checks: { running: { ok: false } } });
      const answer = await readiness();
      return reply.code(answer.ready ? 200 : 503).send(answer);
    },
  );
  app.get(
    '/metrics',
    {
      ...unlimited,
      schema: {
        tags: ['operations'],
        summary: 'Metrics in the format of Prometheus',
        produces: ['text/plain'],
        response: { 200: z.string(), ...openProblems('unauthenticated', 'token_expired', 'forbidden') },
      },
    },
    async (request, reply) => {
      if (!isDirectLocal(request)) requireViewer(await callers.identify(request));
      const { contentType, body } = await metricsText();
      return reply.header('content-type', contentType).send(body);
    },
  );
}
