import { pagedSchema, searchHitSchema, searchQuerySchema } from '@dialoglens/protocol';
import { type ApiInstance, problems, type ResourceDeps } from './api-instance.ts';
import { roomScope } from './callers.ts';
import { toPage } from './paging.ts';

const description = `Matches in a snippet stand between U+E000 and U+E001; escape it before it is shown. \`speaker\` is part of a
name or an identity, \`language\` a tag (\`en\` finds \`en-US\` too); \`from\` and \`to\` are instants, in milliseconds since the
Unix epoch or ISO 8601, the first included, the second not.`;

/** Full-text search over all finals the caller may read. */
export function registerSearch(app: ApiInstance, { store }: ResourceDeps): void {
  app.get(
    '/api/search',
    {
      schema: {
        tags: ['sessions'],
        summary: 'Full-text search with snippets',
        description,
        querystring: searchQuerySchema,
        response: { 200: pagedSchema(searchHitSchema), ...problems() },
      },
    },
    async (request) => {
      const { q, limit: _limit, cursor: _cursor, room: asked, ...limits } = request.query;
      const room = roomScope(request.caller, asked);
      const filter = Object.fromEntries(
        Object.entries({ ...limits, room }).filter(([, value]) => value !== undefined),
      );
      return store.record.search(q, toPage(request.query), filter);
    },
  );
}
