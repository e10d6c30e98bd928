import {
  cleanTextSchema,
  pagedSchema,
  pageQuerySchema,
  roomNameSchema,
  searchHitSchema,
} from '@dialoglens/protocol';
import { type ApiInstance, problems, type ResourceDeps } from './api-instance.ts';
import { roomScope } from './callers.ts';
import { toPage } from './paging.ts';

const searchQuery = pageQuerySchema.extend({
  q: cleanTextSchema.trim().min(1, 'must not be empty').max(200),
  room: roomNameSchema.optional(),
  sessionId: cleanTextSchema.max(64).optional(),
});

/** Full-text search over all finals the caller may read. */
export function registerSearch(app: ApiInstance, { store }: ResourceDeps): void {
  app.get(
    '/api/search',
    {
      schema: {
        tags: ['sessions'],
        summary: 'Full-text search with snippets',
        description: 'Matches in a snippet stand between U+E000 and U+E001.',
        querystring: searchQuery,
        response: { 200: pagedSchema(searchHitSchema), ...problems() },
      },
    },
    async (request) => {
      const { q, sessionId } = request.query;
      const room = roomScope(request.caller, request.query.room);
      return store.record.search(q, toPage(request.query), {
        ...(room === undefined ? {} : { room }),
        ...(sessionId === undefined ? {} : { sessionId }),
      });
    },
  );
}
