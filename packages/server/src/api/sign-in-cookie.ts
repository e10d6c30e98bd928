import { createHmac, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DialogLensError } from '../errors.ts';
import type { KeyRing } from './key-ring.ts';
import type { KnownKey } from './known-key.ts';
import { isSameOrigin } from './loopback.ts';

/** How long a sign-in is good for. */
const lifeMs = 12 * 3_600_000;
/** Over HTTPS browsers promise that a cookie of this prefix was set by this very host, over HTTPS. */
const secureName = '__Host-dialoglens';
const plainName = 'dialoglens';

/** A sign-in that is good now. */
export interface SignIn {
  key: KnownKey;
  /** Milliseconds since the Unix epoch. */
  expiresAt: number;
}

/**
 * Sign-ins without a list of them: the cookie names the key and the end, under a seal made of the key's hash and of a
 * secret that every dispatcher of a cluster has. It ends with its key. What is in the database is not enough to make one.
 */
export class SignInCookies {
  readonly #ring: KeyRing;
  readonly #secret: string;
  readonly #nowMs: () => number;

  constructor(options: { ring: KeyRing; secret: string; nowMs: () => number }) {
    this.#ring = options.ring;
    this.#secret = options.secret;
    this.#nowMs = options.nowMs;
  }

  /** Signs the browser in. Returns when that ends. */
  set(request: FastifyRequest, reply: FastifyReply, key: KnownKey): number {
    const now = this.#nowMs();
    const expiresAt = Math.min(now + lifeMs, key.expiresAt ?? Number.POSITIVE_INFINITY);
    const value = `${expiresAt}.${this.#seal(key, expiresAt)}.${key.id}`;
    const maxAge = Math.floor((expiresAt - now) / 1000);
    reply.header('set-cookie', cookie(isSecure(request), value, maxAge));
    return expiresAt;
  }

  /** Signs the browser out. */
  clear(reply: FastifyReply): void {
    reply.header('set-cookie', [cookie(true, '', 0), cookie(false, '', 0)]);
  }

  /** Null when there is none, or none that is good now. @throws DialogLensError `store_unavailable` */
  async read(request: FastifyRequest): Promise<SignIn | null> {
    for (const value of cookieValues(request)) {
      const [, end = '', seal = '', id = ''] = /^(\d{1,15})\.([\w-]{43})\.(.{1,64})$/.exec(value) ?? [];
      const expiresAt = Number(end);
      if (id === '' || expiresAt <= this.#nowMs()) continue;
      const key = await this.#ring.byId(id);
      if (!key || this.#ring.isExpired(key)) continue;
      if (timingSafeEqual(Buffer.from(seal), Buffer.from(this.#seal(key, expiresAt))))
        return { key, expiresAt };
    }
    return null;
  }

  #seal({ id, digest }: KnownKey, expiresAt: number): string {
    const own = createHmac('sha256', this.#secret).update('dialoglens sign-in').update(digest).digest();
    return createHmac('sha256', own).update(`${expiresAt}.${id}`).digest('base64url');
  }
}

function cookie(secure: boolean, value: string, maxAgeSeconds: number): string {
  const name = secure ? secureName : plainName;
  const flags = `Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict`;
  return `${name}=${value}; ${flags}${secure ? '; Secure' : ''}`;
}

/** Over HTTPS only the cookie that nobody else can have set counts. */
function cookieValues(request: FastifyRequest): string[] {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  const valuesOf = (name: string) =>
    pairs.filter((pair) => pair.startsWith(`${name}=`)).map((pair) => pair.slice(name.length + 1));
  return isSecure(request) ? valuesOf(secureName) : [...valuesOf(secureName), ...valuesOf(plainName)];
}

/**
 * Whether the browser came over HTTPS, to this server or to the proxy before it. Who lies about it harms only
 * themselves: their own browser will not keep the cookie.
 */
function isSecure(request: FastifyRequest): boolean {
  const { protocol, headers } = request;
  const forwarded = String(headers['x-forwarded-proto'] ?? '').split(',', 1)[0];
  if (protocol === 'https' || forwarded?.trim() === 'https') return true;
  return headers.origin?.startsWith('https://') === true && isFromHere(request);
}

/** Whether a page of another origin asks in a way in which it could read the answer. */
export function isFromElsewhere(request: FastifyRequest): boolean {
  return request.headers.origin !== undefined && !isFromHere(request);
}

/** Whether a page of this server asks, or somebody who says nothing about it. */
function isFromHere({ headers }: FastifyRequest): boolean {
  // Where browsers say it, it is right behind any proxy, whatever host that names.
  const site = headers['sec-fetch-site'];
  return site === undefined ? isSameOrigin(headers.origin, headers.host) : site === 'same-origin';
}

/**
 * Browsers may send cookies along with what other sites make them ask; such requests may change nothing. With `mustSay`
 * one that tells nothing of where it comes from is refused too.
 * @throws DialogLensError `forbidden`
 */
export function requireSameOrigin(request: FastifyRequest, { mustSay }: { mustSay: boolean }): void {
  const { origin, 'sec-fetch-site': site } = request.headers;
  const saysNothing = origin === undefined && site === undefined;
  if (isFromHere(request) && !(mustSay && saysNothing)) return;
  throw new DialogLensError('forbidden', 'Requests of other web origins may not change anything.', {
    field: 'Origin',
    remedy: 'Call from a page of this server, or send the key as "Authorization: Bearer …".',
  });
}
