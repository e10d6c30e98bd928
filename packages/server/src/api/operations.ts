import {
  measuresQuerySchema,
  measuresViewSchema,
  moveViewSchema,
  pagedSchema,
  pageQuerySchema,
} from '@dialoglens/protocol';
import { type ApiInstance, problems, type ResourceDeps } from './api-instance.ts';
import { requireViewer } from './callers.ts';
import { measuresView } from './measures-view.ts';
import { toPage } from './paging.ts';

/** How the fleet did of late. */
export function registerOperations(app: ApiInstance, { store }: ResourceDeps): void {
  app.get(
    '/api/moves',
    {
      schema: {
        tags: ['agents'],
        summary: 'How rooms went from worker to worker, the newest first',
        description: 'Takeovers, handovers and drains of the last seven days, at most 50,000.',
        querystring: pageQuerySchema,
        response: { 200: pagedSchema(moveViewSchema), ...problems() },
      },
    },
    async (request) => {
      requireViewer(request.caller);
      return store.operations.moves(toPage(request.query));
    },
  );
  app.get(
    '/api/measures',
    {
      schema: {
        tags: ['agents'],
        summary: 'Latencies and provider faults of late, minute by minute',
        description: `Of all dispatchers and workers together, kept for 24 hours; each adds what it measured every ten seconds.
Latencies are in milliseconds: \`agent\` from the first sight of a room to its agent being there, \`final\` from the end of an
utterance to its text, \`partial\` from the newest audio to the words that are shown while somebody speaks.`,
        querystring: measuresQuerySchema,
        response: { 200: measuresViewSchema, ...problems() },
      },
    },
    async (request) => {
      requireViewer(request.caller);
      const { minutes } = request.query;
      return measuresView(await store.operations.measures(minutes), minutes);
    },
  );
}
