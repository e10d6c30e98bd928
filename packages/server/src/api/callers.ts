import type { Role } from '@dialoglens/protocol';
import type { FastifyRequest } from 'fastify';
import type { Clock } from '../clock.ts';
import { DialogLensError } from '../errors.ts';
import type { KeyRing } from './key-ring.ts';
import type { KnownKey } from './known-key.ts';
import type { AccessTokenVerifier } from './ports.ts';
import { isFromElsewhere, requireSameOrigin, type SignInCookies } from './sign-in-cookie.ts';

/** Somebody with a key, or on the machine of a server without keys. */
export interface KeyCaller {
  kind: 'key';
  id: string;
  name: string;
  role: Role;
  /** `open`: whoever is on this machine. */
  by: 'open' | 'key' | 'cookie';
  /** When the key or the sign-in ends, milliseconds since the Unix epoch; null when it does not. */
  expiresAt: number | null;
}

/** Who sent a request. `room` of a token bearer is the only room the token speaks of. */
export type Caller =
  | KeyCaller
  | { kind: 'token'; identity: string; room: string; roomJoin: boolean; roomAdmin: boolean };

/** What runs on this machine when there are no keys. */
const anonymousAdmin: KeyCaller = {
  kind: 'key',
  id: 'anonymous',
  name: 'anonymous',
  role: 'admin',
  by: 'open',
  expiresAt: null,
};

/** The name under which a caller goes into the audit log. */
export function actorOf(caller: Caller): string {
  return caller.kind === 'key' ? `key:${caller.id}` : `livekit:${caller.identity}`;
}

/** Finds out who calls. */
export interface CallerCheck {
  /** @throws DialogLensError `unauthenticated`, `token_expired`, `forbidden`, `store_unavailable` */
  identify(request: FastifyRequest): Promise<Caller>;
  /** Whether the caller would be let in still, from what is known by now. */
  isWelcome(caller: Caller): boolean;
}

/** API keys first, then LiveKit tokens, then sign-ins; with no keys at all, whoever is on this machine. */
export function createCallerCheck(options: {
  ring: KeyRing;
  /** Null where nobody signs in. */
  cookies: SignInCookies | null;
  tokens: AccessTokenVerifier | null;
  clock: Clock;
}): CallerCheck {
  const { ring, cookies, clock } = options;
  return {
    async identify(request) {
      const bearer = bearerOf(request);
      if (bearer !== null && looksLikeToken(bearer) && !ring.isConfiguredSecret(bearer)) {
        return identifyToken(bearer, options);
      }
      const key = bearer === null ? null : await ring.bySecret(bearer);
      if (key) return keyCaller(ring, key);
      const signIn = bearer === null ? ((await cookies?.read(request)) ?? null) : null;
      if (signIn) {
        const isReading = request.method === 'GET' || request.method === 'HEAD';
        if (!isReading) requireSameOrigin(request, { mustSay: true });
        else if (isFromElsewhere(request)) throw mustSendToken();
        const { id, name, role } = signIn.key;
        return { kind: 'key', id, name, role, by: 'cookie', expiresAt: signIn.expiresAt };
      }
      if (await ring.isOpen()) {
        if (isFromElsewhere(request)) throw mustSendToken();
        return anonymousAdmin;
      }
      throw unauthenticated(
        bearer === null ? 'No Authorization header was sent.' : 'This API key is not known.',
      );
    },
    isWelcome(caller) {
      if (caller.kind === 'token') return true;
      if (caller.by === 'open') return ring.seemsOpen;
      const isOver = caller.expiresAt !== null && caller.expiresAt <= clock.nowMs();
      return !isOver && ring.seemsInForce(caller.id);
    },
  };
}

/** @throws DialogLensError `unauthenticated` when it has expired */
export function keyCaller(ring: KeyRing, key: KnownKey): KeyCaller {
  if (ring.isExpired(key)) throw unauthenticated('This API key has expired.');
  const { id, name, role, expiresAt } = key;
  return { kind: 'key', id, name, role, by: 'key', expiresAt };
}

function bearerOf(request: FastifyRequest): string | null {
  const header = request.headers.authorization;
  if (header === undefined) return null;
  const match = /^Bearer +(\S+) *$/i.exec(header);
  if (!match?.[1]) throw unauthenticated('The Authorization header is not of the form "Bearer …".');
  return match[1];
}

function looksLikeToken(bearer: string): boolean {
  return bearer.split('.').length === 3;
}

async function identifyToken(
  token: string,
  options: { tokens: AccessTokenVerifier | null; clock: Clock },
): Promise<Caller> {
  const claims = (await options.tokens?.verify(token)) ?? null;
  if (claims) {
    return {
      kind: 'token',
      identity: claims.identity,
      room: claims.room ?? '',
      roomJoin: claims.roomJoin,
      roomAdmin: claims.roomAdmin,
    };
  }
  if (hasExpired(token, options.clock.nowMs())) {
    throw new DialogLensError('token_expired', 'The LiveKit access token has expired.', {
      field: 'Authorization',
      remedy: 'Ask whoever made the token for a new one.',
    });
  }
  throw unauthenticated('The LiveKit access token was not signed with the key of this server.');
}

/** Reads the unverified expiry, only to tell the bearer why the token was refused. */
function hasExpired(token: string, nowMs: number): boolean {
  try {
    const payload: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    const expiry: unknown = typeof payload === 'object' && payload !== null ? Reflect.get(payload, 'exp') : 0;
    return typeof expiry === 'number' && expiry > 0 && expiry * 1000 <= nowMs;
  } catch {
    return false; // Not a token at all: the caller answers that it is not valid.
  }
}

export function unauthenticated(message: string, field = 'Authorization'): DialogLensError {
  return new DialogLensError('unauthenticated', message, {
    field,
    remedy: 'Send "Authorization: Bearer <API key or LiveKit access token>".',
  });
}

/** A sign-in, and a place on this machine, speak for whoever sits there and not for every page they look at. */
function mustSendToken(): DialogLensError {
  return unauthenticated('A page of another web origin sent no token that is good here.');
}

function forbidden(message: string, remedy: string): DialogLensError {
  return new DialogLensError('forbidden', message, { remedy });
}

/** For what concerns all rooms: needs an API key. @throws DialogLensError `forbidden` */
export function requireViewer(caller: Caller): void {
  if (caller.kind === 'token') {
    throw forbidden('A LiveKit access token speaks for one room only.', 'Use an API key.');
  }
}

/** For what changes more than one room: needs an API key that may. @throws DialogLensError `forbidden` */
export function requireOperator(caller: Caller): void {
  requireViewer(caller);
  if (caller.kind === 'key' && caller.role === 'viewer') {
    throw forbidden('A viewer key may not do this.', 'Use a key with the role operator or admin.');
  }
}

/** For keys of others, and for what cannot be undone: needs an admin key. @throws DialogLensError `forbidden` */
export function requireAdmin(caller: Caller): void {
  requireViewer(caller);
  if (caller.kind === 'key' && caller.role !== 'admin') {
    throw forbidden('Only an admin key may do this.', 'Use a key with the role admin.');
  }
}

/** Reading one room. @throws DialogLensError `forbidden` */
export function requireRoomReader(caller: Caller, room: string): void {
  if (caller.kind === 'key') return;
  if (caller.room !== room || !(caller.roomJoin || caller.roomAdmin)) {
    throw forbidden(
      'This LiveKit access token is not for this room.',
      'Use a token with `roomJoin` for this room, or an API key.',
    );
  }
}

/** Starting and stopping one room, and correcting what was written down in it. @throws DialogLensError `forbidden` */
export function requireRoomController(caller: Caller, room: string): void {
  if (caller.kind === 'key') {
    if (caller.role !== 'viewer') return;
    throw forbidden(
      'A viewer key may not start, stop or correct.',
      'Use a key with the role operator or admin.',
    );
  }
  if (caller.room !== room || !caller.roomAdmin) {
    throw forbidden(
      'This LiveKit access token may not start, stop or correct this room.',
      'Use a token with `roomAdmin` for this room, or an API key.',
    );
  }
}

/**
 * The room a list must be limited to: what was asked for, or the one room of a token. Undefined means all rooms.
 * @throws DialogLensError `forbidden` for a token that asks for another room
 */
export function roomScope(caller: Caller, asked: string | undefined): string | undefined {
  if (caller.kind === 'key') return asked;
  requireRoomReader(caller, asked ?? caller.room);
  if (caller.room === '') throw forbidden('This token names no room.', 'Use a token for one room.');
  return caller.room;
}
