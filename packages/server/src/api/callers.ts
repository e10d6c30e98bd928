import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Clock } from '../clock.ts';
import { DialogLensError } from '../errors.ts';
import type { AccessTokenVerifier, ApiKey, Role } from './ports.ts';

/** Who sent a request. `room` of a token bearer is the only room the token speaks of. */
export type Caller =
  | { kind: 'key'; id: string; role: Role }
  | { kind: 'token'; identity: string; room: string; roomJoin: boolean; roomAdmin: boolean };

/** What runs on this machine when no keys are configured. */
const anonymousAdmin: Caller = { kind: 'key', id: 'anonymous', role: 'admin' };

/** The name under which a caller goes into the audit log. */
export function actorOf(caller: Caller): string {
  return caller.kind === 'key' ? `key:${caller.id}` : `livekit:${caller.identity}`;
}

/** Finds out who calls. */
export interface CallerCheck {
  /** @throws DialogLensError `unauthenticated`, `token_expired`, `forbidden` */
  identify(request: FastifyRequest): Promise<Caller>;
}

/** API keys first, then LiveKit tokens; with no keys at all, whoever is on this machine. */
export function createCallerCheck(options: {
  keys: readonly ApiKey[];
  tokens: AccessTokenVerifier | null;
  clock: Clock;
}): CallerCheck {
  const keys = options.keys.map((key) => ({ id: key.id, role: key.role, digest: digestOf(key) }));
  return {
    async identify(request) {
      const bearer = bearerOf(request);
      if (bearer !== null) {
        const key = matchKey(keys, bearer);
        if (key) return { kind: 'key', id: key.id, role: key.role };
        if (looksLikeToken(bearer)) return identifyToken(bearer, options);
      }
      if (keys.length === 0) return anonymousAdmin;
      throw unauthenticated(
        bearer === null ? 'No Authorization header was sent.' : 'This API key is not known.',
      );
    },
  };
}

function digestOf(key: ApiKey): Buffer {
  return 'hash' in key ? Buffer.from(key.hash, 'hex') : sha256(key.secret);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function bearerOf(request: FastifyRequest): string | null {
  const header = request.headers.authorization;
  if (header === undefined) return null;
  const match = /^Bearer +(\S+) *$/i.exec(header);
  if (!match?.[1]) throw unauthenticated('The Authorization header is not of the form "Bearer …".');
  return match[1];
}

/** Compares with every key and never stops early, so that the time tells nothing about how near a guess was. */
function matchKey<K extends { digest: Buffer }>(keys: readonly K[], presented: string): K | null {
  const digest = sha256(presented);
  let found: K | null = null;
  for (const key of keys) {
    const equal = key.digest.length === digest.length && timingSafeEqual(key.digest, digest);
    if (equal) found = key;
  }
  return found;
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

function unauthenticated(message: string): DialogLensError {
  return new DialogLensError('unauthenticated', message, {
    field: 'Authorization',
    remedy: 'Send "Authorization: Bearer <API key or LiveKit access token>".',
  });
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

/** For what cannot be undone: needs an API key that may do everything. @throws DialogLensError `forbidden` */
export function requireAdmin(caller: Caller): void {
  requireViewer(caller);
  if (caller.kind === 'key' && caller.role !== 'admin') {
    throw forbidden('This key may not remove anything.', 'Use a key with the role admin.');
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
