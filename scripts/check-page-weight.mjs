/**
 * What a browser has to fetch before the live page shows captions stays small, and so does the script for embedded ones.
 * Counted are the page, its styles and scripts, and everything that these import, as sent with Brotli; what is imported
 * later (`import()`) is not. Answers of the API are not counted either. Puts the pages together first when they are out of
 * date.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { buildWeb, root } from './setup.mjs';

const maxBytes = 120_000;
/** For pages of others, which have a weight of their own. */
const maxEmbedBytes = 12_000;
const app = join(root, 'packages/web/dist/app');
const entries = ['index.html', 'src/features/live/live-page.tsx'];
/** Sent with every page, and unknown to Vite's manifest. */
const alwaysSent = ['index.html', 'theme.js'];

await buildWeb();
const manifest = JSON.parse(readFileSync(join(app, '.vite/manifest.json'), 'utf8'));
const sizes = [...filesOf(entries)].map((file) => ({ file, bytes: sentBytes(file) }));
sizes.sort((a, b) => b.bytes - a.bytes);
const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
if (total > maxBytes) {
  for (const { file, bytes } of sizes) console.log(`${String(bytes).padStart(8)}  ${file}`);
  console.log(
    `The first load of the live page is ${total} bytes (at most ${maxBytes}). Import what it does not need at once ` +
      'with `lazy(() => import(…))`, as packages/web/src/ui/user-button.tsx does, or take a smaller library.',
  );
  process.exitCode = 1;
} else {
  console.log(`first load of the live page: ${total} bytes of ${maxBytes}`);
}

const embedBytes = sentBytes('embed.js');
if (embedBytes > maxEmbedBytes) {
  console.log(
    `The script for embedded captions is ${embedBytes} bytes (at most ${maxEmbedBytes}). It is one file, so nothing of it ` +
      'can come later: import less, or take a smaller library.',
  );
  process.exitCode = 1;
} else {
  console.log(`embedded captions: ${embedBytes} bytes of ${maxEmbedBytes}`);
}

function filesOf(names) {
  const chunks = new Set();
  const files = new Set(alwaysSent);
  const visit = (name) => {
    if (chunks.has(name)) return;
    chunks.add(name);
    const chunk = manifest[name];
    if (chunk === undefined) throw new Error(`Vite's manifest has no ${name}: has it been moved?`);
    for (const file of [chunk.file, ...(chunk.css ?? []), ...(chunk.assets ?? [])]) files.add(file);
    for (const imported of chunk.imports ?? []) visit(imported);
  };
  for (const name of names) visit(name);
  return files;
}

function sentBytes(file) {
  const path = join(app, file);
  return statSync(existsSync(`${path}.br`) ? `${path}.br` : path).size;
}
