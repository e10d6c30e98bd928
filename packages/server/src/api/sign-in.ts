import { type MeView, meViewSchema, signInBodySchema, signOutAnswerSchema } from '@dialoglens/protocol';
import { DialogLensError } from '../errors.ts';
import { type ApiInstance, openProblems, problems, type ResourceDeps } from './api-instance.ts';
import { type Caller, keyCaller, unauthenticated } from './callers.ts';
import { requireSameOrigin } from './sign-in-cookie.ts';

/** Lets people with a key in from a browser. The routes are open: nobody is known yet. */
export function registerSignIn(
  app: ApiInstance,
  { ring, cookies, limits, logger }: Pick<ResourceDeps, 'ring' | 'cookies' | 'limits' | 'logger'>,
): void {
  app.addHook('preHandler', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    // Programs may sign in too; pages of other sites may not, even with a key of their own.
    requireSameOrigin(request, { mustSay: false });
  });
  app.post(
    '/api/sign-in',
    {
      config: { rateLimit: signInLimit(limits.signInsPerMinute) },
      schema: {
        tags: ['access'],
        summary: 'Sign a browser in with an API key',
        description:
          'Sets a cookie that stands for the key for twelve hours at most, and ends with it. Requests that change something count only from pages of this server.',
        security: [],
        body: signInBodySchema,
        response: {
          200: meViewSchema,
          ...openProblems(...signInProblems, 'unauthenticated', 'store_unavailable'),
        },
      },
    },
    async (request, reply) => {
      const key = await ring.bySecret(request.body.key);
      if (!key) {
        logger.info({ requestId: request.id }, 'a sign-in with an unknown key was refused');
        throw unauthenticated('This API key is not known.', 'key');
      }
      const caller = keyCaller(ring, key);
      const expiresAt = cookies.set(request, reply, key);
      return meOf({ ...caller, by: 'cookie', expiresAt });
    },
  );
  app.post(
    '/api/sign-out',
    {
      schema: {
        tags: ['access'],
        summary: 'Sign this browser out',
        description: 'Takes the cookie away. What ends every sign-in with a key is to revoke it.',
        security: [],
        response: { 200: signOutAnswerSchema, ...openProblems(...signInProblems) },
      },
    },
    async (_request, reply) => {
      cookies.clear(reply);
      return { success: true as const };
    },
  );
}

const signInProblems = [
  'rate_limited',
  'forbidden',
  'invalid_request',
  'payload_too_large',
  'unsupported_media_type',
] as const;

function signInLimit(max: number) {
  return {
    max,
    timeWindow: 60_000,
    errorResponseBuilder: (_request: unknown, { after }: { after: string }) =>
      new DialogLensError('rate_limited', `More than ${max} attempts to sign in within a minute.`, {
        remedy: `Try again in ${after}.`,
      }),
  };
}

/** Tells callers who they are. */
export function registerMe(app: ApiInstance): void {
  app.get(
    '/api/me',
    {
      schema: {
        tags: ['access'],
        summary: 'Who asks, and what they may do',
        response: { 200: meViewSchema, ...problems() },
      },
    },
    async (request) => meOf(request.caller),
  );
}

function meOf(caller: Caller): MeView {
  if (caller.kind === 'token') {
    const { room, roomAdmin } = caller;
    return {
      signedInBy: 'token',
      role: null,
      keyId: null,
      name: null,
      room,
      expiresAt: null,
      may: { operate: roomAdmin, administer: false },
    };
  }
  const { by, id, role, name, expiresAt } = caller;
  return {
    signedInBy: by,
    role,
    keyId: by === 'open' ? null : id,
    name: by === 'open' ? null : name,
    room: null,
    expiresAt,
    may: { operate: role !== 'viewer', administer: role === 'admin' },
  };
}
