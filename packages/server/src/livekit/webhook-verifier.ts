import { createHash, timingSafeEqual } from 'node:crypto';
import { TokenVerifier } from 'livekit-server-sdk';
import { asError, DialogLensError } from '../errors.ts';
import type { LiveKitKeys } from './tokens.ts';

/** What the dispatcher reads from a webhook: a hint to look at a room. */
export interface WebhookNotice {
  /** Stable across LiveKit's own retries. */
  id: string;
  /** `room_started`, `track_published`, … as LiveKit names it. */
  event: string;
  /** Room name; empty for events that concern no room. */
  room: string;
  /** Kind of the participant concerned, or null. */
  participantKind: string | null;
  createdAtMs: number;
}

/** Tolerance for clocks that differ, on top of the five minutes a webhook token lives. */
const clockToleranceSeconds = 10;

/** Verifies LiveKit's signature over the raw body and reads the event. */
export function createWebhookVerifier(keys: LiveKitKeys): {
  /** @throws DialogLensError `webhook_rejected` saying what did not match. */
  receive(rawBody: Buffer, authorization: string | undefined): Promise<WebhookNotice>;
} {
  const verifier = new TokenVerifier(keys.apiKey, keys.apiSecret);
  return {
    async receive(rawBody, authorization) {
      if (!authorization) throw rejected('The Authorization header is missing.');
      const token = authorization.replace(/^Bearer\s+/i, '');
      const claims = await verifier.verify(token, clockToleranceSeconds).catch((thrown: unknown) => {
        throw rejected(whyRefused(asError(thrown)));
      });
      checkHash(rawBody, claims.sha256);
      return readNotice(rawBody);
    },
  };
}

function rejected(message: string): DialogLensError {
  return new DialogLensError('webhook_rejected', message, {
    remedy:
      'Sign webhooks with the key that DialogLens uses: `webhook.api_key` of the LiveKit server must be LIVEKIT_API_KEY, and both clocks must be right.',
  });
}

function whyRefused(error: Error): string {
  if (Reflect.get(error, 'code') === 'ERR_JWT_EXPIRED') return 'The signature has expired.';
  if (Reflect.get(error, 'code') === 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED') {
    return 'The signature was not made with this API secret.';
  }
  return 'The Authorization header holds no valid token of this API key.';
}

function checkHash(rawBody: Buffer, claimed: string | undefined): void {
  const actual = createHash('sha256').update(rawBody).digest();
  const expected = Buffer.from(claimed ?? '', 'base64');
  if (expected.length !== actual.length || !timingSafeEqual(actual, expected)) {
    throw rejected('The signature belongs to another body.');
  }
}

function readNotice(rawBody: Buffer): WebhookNotice {
  let body: unknown;
  try {
    body = JSON.parse(rawBody.toString('utf8'));
  } catch (thrown) {
    throw new DialogLensError('invalid_request', 'The webhook body is not JSON.', { cause: thrown });
  }
  const kind = field(field(body, 'participant'), 'kind');
  return {
    id: text(field(body, 'id')),
    event: text(field(body, 'event')),
    room: text(field(field(body, 'room'), 'name')) || text(field(field(body, 'egressInfo'), 'roomName')),
    participantKind: typeof kind === 'string' ? kind.toLowerCase() : null,
    createdAtMs: Number(text(field(body, 'createdAt'))) * 1000 || 0,
  };
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
