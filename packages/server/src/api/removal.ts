import { cleanTextSchema, deleteSessionAnswerSchema, removePersonAnswerSchema } from '@dialoglens/protocol';
import { z } from 'zod';
import { type ApiInstance, problems, type ResourceDeps, writeProblems } from './api-instance.ts';
import { actorOf, requireAdmin } from './callers.ts';
import { sessionParams } from './sessions.ts';

/** Taking things out of the record, for good. */
export function registerRemoval(app: ApiInstance, { store }: ResourceDeps): void {
  app.delete(
    '/api/sessions/:id',
    {
      schema: {
        tags: ['sessions'],
        summary: 'Delete a session and everything that was written down in it',
        description:
          'For keys with the role admin. It cannot be undone. A session that is still being transcribed is refused.',
        params: sessionParams,
        response: {
          200: deleteSessionAnswerSchema,
          ...problems('not_found', 'session_live', ...writeProblems),
        },
      },
    },
    async (request) => {
      requireAdmin(request.caller);
      const sessionId = request.params.id;
      const { segments } = await store.removal.deleteSession(sessionId, actorOf(request.caller));
      return { success: true as const, sessionId, segments };
    },
  );
  app.delete(
    '/api/people/:identity',
    {
      schema: {
        tags: ['sessions'],
        summary: 'Remove one person from every session',
        description: `For keys with the role admin. It cannot be undone. Everything that was written down of what this LiveKit identity
said is removed, with its corrections and translations, and so are name and identity; how long the person spoke stays, so
that coverage remains explained. What others said about the person stays. Refused while the person is in a session that is
still being transcribed.`,
        params: z.object({ identity: cleanTextSchema.min(1).max(1024) }),
        response: {
          200: removePersonAnswerSchema,
          ...problems('not_found', 'session_live', ...writeProblems),
        },
      },
    },
    async (request) => {
      requireAdmin(request.caller);
      const { identity } = request.params;
      const { sessions, segments } = await store.removal.removePerson(identity, actorOf(request.caller));
      return { success: true as const, sessions: sessions.length, segments };
    },
  );
}
