import { readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import fastifyStatic, { type FastifyStaticOptions } from '@fastify/static';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ApiInstance } from './api-instance.ts';
import type { WebPages } from './ports.ts';

/** Where pages are; the application in the browser tells them apart. */
const pagePaths = [
  '/',
  '/rooms/*',
  '/sessions',
  '/sessions/*',
  '/search',
  '/operations',
  '/settings',
  '/sign-in',
];
/** Names of these files change with their content. */
const hashedFolder = `${sep}assets${sep}`;
const yearSeconds = 31_536_000;

/**
 * What a page may load: this server's own files, and nothing inline. Styles that scripts set on single elements are not
 * concerned.
 */
function pagePolicy(connectTo: readonly string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "media-src 'self' blob:",
    `connect-src ${["'self'", ...connectTo].join(' ')}`,
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** The web application as this server gives it out. */
export interface WebServing {
  register(app: ApiInstance): Promise<void>;
  /** Answers somebody who wants to see a page where none is; null when a problem is the better answer. */
  notFound(request: FastifyRequest, reply: FastifyReply): FastifyReply | null;
}

/** Serves the files of the application, and its one page for every address that it shows something at. */
export function serveWebPages({ folder, connectTo }: WebPages): WebServing {
  const policy = pagePolicy(connectTo);
  let page: Buffer | null = null;
  const send = (reply: FastifyReply) =>
    reply
      .header('content-security-policy', policy)
      .header('cache-control', 'no-cache')
      .type('text/html; charset=utf-8')
      .send(page);
  return {
    async register(app) {
      page = await readFile(join(folder, 'index.html'));
      for (const path of pagePaths)
        app.get(path, { schema: { hide: true } }, (_request, reply) => send(reply));
      await app.register(fastifyStatic, { root: folder, ...fileOptions });
    },
    notFound(request, reply) {
      return page !== null && wantsPage(request) ? send(reply.code(404)) : null;
    },
  };
}

const fileOptions: Omit<FastifyStaticOptions, 'root'> = {
  index: false,
  // One route a file, so that nothing but the files of the build can be asked for.
  wildcard: false,
  preCompressed: true,
  globIgnore: ['index.html', '**/*.br', '**/*.gz', '.vite/**'],
  schemaHide: true,
  cacheControl: false,
  setHeaders(response, path) {
    const isHashed = path.includes(hashedFolder);
    response.setHeader('cache-control', isHashed ? `public, max-age=${yearSeconds}, immutable` : 'no-cache');
  },
};

/** True for a browser that asks for something to show. */
function wantsPage({ method, url, headers }: FastifyRequest): boolean {
  const isReading = method === 'GET' || method === 'HEAD';
  return isReading && !url.startsWith('/api/') && (headers.accept ?? '').includes('text/html');
}
