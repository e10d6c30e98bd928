import {
  createKeyAnswerSchema,
  createKeyBodySchema,
  keyViewSchema,
  revokeKeyAnswerSchema,
} from '@dialoglens/protocol';
import { z } from 'zod';
import { DialogLensError } from '../errors.ts';
import { type ApiInstance, problems, type ResourceDeps, writeProblems } from './api-instance.ts';
import { actorOf, requireAdmin } from './callers.ts';
import { addKey, revokeKey } from './key-store.ts';
import { keyView } from './known-key.ts';

type KeyDeps = Pick<ResourceDeps, 'ring' | 'cookies' | 'clock'> & {
  store: Pick<ResourceDeps['store'], 'keys'>;
};

/** API keys: made, listed and revoked by administrators. */
export function registerKeys(app: ApiInstance, deps: KeyDeps): void {
  const { ring, clock } = deps;
  app.get(
    '/api/keys',
    {
      schema: {
        tags: ['access'],
        summary: 'The keys there are, without their secrets',
        description:
          'Those of the configuration first, then the others, the oldest first. Revoked ones are gone.',
        response: { 200: z.object({ items: z.array(keyViewSchema) }), ...problems() },
      },
    },
    async (request) => {
      requireAdmin(request.caller);
      return { items: (await ring.all()).map((key) => keyView(key, clock.nowMs())) };
    },
  );
  registerCreate(app, deps);
  registerRevoke(app, deps);
}

function registerCreate(app: ApiInstance, { ring, cookies, store, clock }: KeyDeps): void {
  app.post(
    '/api/keys',
    {
      schema: {
        tags: ['access'],
        summary: 'Make a key',
        description: `The answer holds its secret, which is not kept and cannot be told again. From the first key on, nobody is let in without
one; therefore the first has to be an admin’s that does not expire, and the browser that made it is signed in with it.`,
        body: createKeyBodySchema,
        response: {
          200: createKeyAnswerSchema,
          ...problems('admin_key_needed', 'too_many_keys', ...writeProblems),
        },
      },
    },
    async (request, reply) => {
      const { caller } = request;
      requireAdmin(caller);
      const { secret, id } = await addKey(store.keys, request.body, {
        actor: actorOf(caller),
        configured: ring.configured,
        nowMs: clock.nowMs(),
      });
      const key = (await ring.all()).find((known) => known.id === id);
      if (!key)
        throw new DialogLensError('not_found', 'The key was revoked in the same moment.', { field: 'id' });
      // Who made the first key from a page must not be shut out by it.
      if (caller.kind === 'key' && caller.by === 'open') cookies.set(request, reply, key);
      return { ...keyView(key, clock.nowMs()), secret };
    },
  );
}

function registerRevoke(app: ApiInstance, { ring, store }: KeyDeps): void {
  app.delete(
    '/api/keys/:id',
    {
      schema: {
        tags: ['access'],
        summary: 'Revoke a key',
        description: `It ends within seconds on every dispatcher, and with it whoever signed in with it. The last admin key that does not
expire stays while there are others.`,
        params: z.object({ id: z.string().min(1).max(64) }),
        response: {
          200: revokeKeyAnswerSchema,
          ...problems('not_found', 'admin_key_needed', 'key_configured', ...writeProblems),
        },
      },
    },
    async (request) => {
      requireAdmin(request.caller);
      const { id } = request.params;
      await revokeKey(store.keys, id, { actor: actorOf(request.caller), configured: ring.configured });
      await ring.renew();
      return { success: true as const, id };
    },
  );
}
