import { agentIdSchema, agentViewSchema, capacityViewSchema, drainAnswerSchema } from '@dialoglens/protocol';
import { z } from 'zod';
import { DialogLensError } from '../errors.ts';
import { type ApiInstance, problems, type ResourceDeps, writeProblems } from './api-instance.ts';
import { actorOf, requireOperator, requireViewer } from './callers.ts';

/** The workers and what they can take. */
export function registerAgents(app: ApiInstance, { control }: ResourceDeps): void {
  app.get(
    '/api/agents',
    {
      schema: {
        tags: ['agents'],
        summary: 'Agent workers, their load and their rooms',
        response: { 200: z.object({ items: z.array(agentViewSchema) }), ...problems() },
      },
    },
    async (request) => {
      requireViewer(request.caller);
      return { items: await control.agents() };
    },
  );
  app.post(
    '/api/agents/:agentId/drain',
    {
      schema: {
        tags: ['agents'],
        summary: 'Empty a worker: its rooms are handed over, then it ends',
        description:
          'Repeating it changes nothing. A room that finds no free slot elsewhere stays until the worker’s deadline.',
        params: z.object({ agentId: agentIdSchema }),
        response: { 200: drainAnswerSchema, ...problems('not_found', ...writeProblems) },
      },
    },
    async (request) => {
      requireOperator(request.caller);
      const { agentId } = request.params;
      const drained = await control.drain(agentId, actorOf(request.caller));
      if (drained) {
        const message = 'Worker will hand its rooms over and end';
        return { success: true as const, message, status: 'draining' as const, agentId, ...drained };
      }
      throw new DialogLensError('not_found', 'No worker of this name is heard.', {
        field: 'agentId',
        remedy: 'GET /api/agents lists the workers.',
      });
    },
  );
  app.get(
    '/api/capacity',
    {
      schema: {
        tags: ['agents'],
        summary: 'Slots there are, slots in use, workers wanted',
        response: { 200: capacityViewSchema, ...problems() },
      },
    },
    async (request) => {
      requireViewer(request.caller);
      return control.capacity();
    },
  );
}
