import { z } from 'zod';
import { DialogLensError } from '../errors.ts';
import { type ApiInstance, openProblems, type ResourceDeps } from './api-instance.ts';
import type { WebhookNotice } from './ports.ts';
import { toDialogLensError } from './problem.ts';

/** What LiveKit sends about rooms; a closed list, because it becomes a metric label. */
const roomEvents: ReadonlySet<string> = new Set([
  'room_started',
  'room_finished',
  'participant_joined',
  'participant_left',
  'participant_connection_aborted',
  'track_published',
  'track_unpublished',
]);

/** Participants whose coming and going says nothing about who speaks. */
const silentKinds: ReadonlySet<string> = new Set(['agent', 'egress']);

const resultOf: Partial<Record<string, string>> = {
  webhook_rejected: 'rejected',
  payload_too_large: 'too_large',
  invalid_request: 'invalid',
  unsupported_media_type: 'invalid',
};

/** LiveKit's webhooks: hints that a room deserves a look. */
export function registerWebhooks(app: ApiInstance, deps: ResourceDeps): void {
  // The signature covers the bytes as they came, so nothing may parse them before.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    ['application/webhook+json', 'application/json'],
    { parseAs: 'buffer' },
    (_request, body, done) => done(null, body),
  );
  app.addHook('onError', async (request, _reply, error) => {
    const result = resultOf[toDialogLensError(error, request).code] ?? 'failed';
    deps.metrics.count('webhooks_total', { event: 'none', result });
  });
  app.post(
    '/webhooks/livekit',
    {
      bodyLimit: deps.limits.maxWebhookBytes,
      config: { rateLimit: false },
      schema: {
        tags: ['webhooks'],
        summary: 'Receiver of LiveKit webhooks',
        description: 'The Authorization header must hold the signature LiveKit makes over the raw body.',
        security: [],
        consumes: ['application/webhook+json'],
        response: {
          200: z.object({ received: z.literal(true), result: z.enum(['accepted', 'duplicate', 'ignored']) }),
          ...openProblems(
            'webhook_rejected',
            'invalid_request',
            'not_found',
            'payload_too_large',
            'unsupported_media_type',
          ),
        },
      },
    },
    async (request) => {
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const notice = await deps.webhooks.receive(body, request.headers.authorization);
      const result = await take(deps, notice);
      const event = roomEvents.has(notice.event) ? notice.event : 'other';
      deps.metrics.count('webhooks_total', { event, result });
      return { received: true as const, result };
    },
  );
}

async function take(
  deps: ResourceDeps,
  notice: WebhookNotice,
): Promise<'accepted' | 'duplicate' | 'ignored'> {
  const foreign = !roomEvents.has(notice.event) || notice.room === '';
  if (foreign || silentKinds.has(notice.participantKind ?? '')) return 'ignored';
  if (!(await isNew(deps, notice))) return 'duplicate';
  await deps.webhooks.handleRoomEvent(notice);
  return 'accepted';
}

/** Without the store repetitions cannot be told apart; a hint given twice costs one look at the room. */
async function isNew({ store }: ResourceDeps, notice: WebhookNotice): Promise<boolean> {
  if (notice.id === '') return true;
  try {
    return await store.inbox.accept({
      id: notice.id,
      kind: notice.event,
      room: notice.room,
      createdAt: notice.createdAtMs,
    });
  } catch (thrown) {
    if (thrown instanceof DialogLensError && thrown.code.startsWith('store_')) return true;
    throw thrown;
  }
}
