/**
 * A web server as yours might be: it gives out a page, and tokens for those who may read the captions on it.
 *
 *   DIALOGLENS_API_ALLOWED_ORIGINS=http://127.0.0.1:3020 npm start
 *   node examples/embed/serve.mjs
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '3020' },
    dialoglens: { type: 'string', default: 'http://127.0.0.1:3010' },
  },
});
const dialoglens = new URL(values.dialoglens).origin;
const files = new Map([
  ['/', ['index.html', 'text/html; charset=utf-8']],
  ['/page.css', ['page.css', 'text/css; charset=utf-8']],
  ['/page.js', ['page.js', 'text/javascript; charset=utf-8']],
]);
// The captions need no more of a page's policy than this: their script, and to connect where it came from.
const policy = `default-src 'none'; style-src 'self'; script-src 'self' ${dialoglens}; connect-src 'self' ${dialoglens}`;

/** Whoever is signed in to your application and may be in the room gets a token for it. Here that is everybody. */
async function tokenFor(room) {
  const response = await fetch(`${dialoglens}/api/rooms/${encodeURIComponent(room)}/join-token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Reader' }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail);
  return answer.token;
}

async function answer(request, response) {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  if (pathname === '/token') {
    const token = await tokenFor(searchParams.get('room') ?? '');
    return response.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'no-store' }).end(token);
  }
  const [name, type] = files.get(pathname) ?? [];
  if (name === undefined) return response.writeHead(404).end();
  const text = await readFile(new URL(name, import.meta.url), 'utf8');
  const page = text.replaceAll('http://127.0.0.1:3010', dialoglens);
  return response.writeHead(200, { 'content-type': type, 'content-security-policy': policy }).end(page);
}

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    response.writeHead(502, { 'content-type': 'text/plain' }).end(error.message);
  });
});
server.listen(Number(values.port), '127.0.0.1', () => {
  console.log(`Open http://127.0.0.1:${server.address().port}`);
});
