import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { DialogLensError } from '../errors.ts';

/** True for addresses and names that only this machine can reach. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (bare === 'localhost' || bare === '::1') return true;
  const v4 = bare.startsWith('::ffff:') ? bare.slice(7) : bare;
  return isIP(v4) === 4 && v4.startsWith('127.');
}

/** Address by which this machine reaches a server that listens on `host`, as it stands in a URL. */
export function localAddress(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

/** The Host header without its port; empty when it is missing or not well formed. */
function hostName(header: string | undefined): string {
  const match = /^(\[[0-9a-f:.]+\]|[^:/@[\]]+)(?::\d{1,5})?$/i.exec(header ?? '');
  return match?.[1] ?? '';
}

/** Names by which a browser on this machine may call a server without keys. */
const localNames = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Without keys whoever reaches the port is trusted, and a web page must not be able to: it could get at it by a name of
 * its own that resolves to loopback, or by posting across origins.
 * @throws DialogLensError `forbidden`
 */
export function requireLocalCaller(request: FastifyRequest): void {
  const host = request.headers.host;
  if (!localNames.has(hostName(host).toLowerCase())) {
    throw new DialogLensError('forbidden', 'The Host header is not a name of this machine.', {
      field: 'Host',
      remedy: 'Call it as localhost or 127.0.0.1, or set DIALOGLENS_API_KEYS to serve other names.',
    });
  }
  const reading = request.method === 'GET' || request.method === 'HEAD';
  if (!reading && !isSameOrigin(request.headers.origin, host)) {
    throw new DialogLensError('forbidden', 'Requests of other web origins may not change anything.', {
      field: 'Origin',
      remedy: 'Call from a page of this server, from a program, or set DIALOGLENS_API_KEYS.',
    });
  }
}

export function isSameOrigin(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined) return true; // Browsers always send it when they post; programs do not.
  return origin === `http://${host}` || origin === `https://${host}`;
}

/** True when the request came straight from this machine: not through a proxy, and under a local name. */
export function isDirectLocal(request: FastifyRequest): boolean {
  const proxied = 'x-forwarded-for' in request.headers || 'forwarded' in request.headers;
  return !proxied && isLoopback(request.ip) && localNames.has(hostName(request.headers.host).toLowerCase());
}
