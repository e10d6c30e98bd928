import { agentViewSchema, capacityViewSchema } from '@dialoglens/protocol';
import { z } from 'zod';
import { type ApiInstance, problems, type ResourceDeps } from './api-instance.ts';
import { requireViewer } from './callers.ts';

/** The workers and what they can take. */
export function registerAgents(app: ApiInstance, { control }: ResourceDeps): void {
  app.get(
    '/api/agents',
    {
      schema: {
        tags: ['agents'],
        summary: 'Agent workers, their load and their rooms',
        response: { 200: z.object({ items: z.array(agentViewSchema) }), ...problems },
      },
    },
    async (request) => {
      requireViewer(request.caller);
      return { items: await control.agents() };
    },
  );
  app.get(
    '/api/capacity',
    {
      schema: {
        tags: ['agents'],
        summary: 'Slots there are, slots in use, workers wanted',
        response: { 200: capacityViewSchema, ...problems },
      },
    },
    async (request) => {
      requireViewer(request.caller);
      return control.capacity();
    },
  );
}
