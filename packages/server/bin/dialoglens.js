#!/usr/bin/env node
import { existsSync } from 'node:fs';

// LiveKit's native client prints debug lines to standard output otherwise.
process.env.NODE_ENV ??= 'production';

const main = new URL('../dist/cli/main.js', import.meta.url);

if (existsSync(main)) {
  await import(main.href);
} else {
  console.error(
    'DialogLens is not built yet. Run `npm install` and `npm run build` in the repository first.',
  );
  process.exitCode = 1;
}
