#!/usr/bin/env node
import { existsSync } from 'node:fs';

// LiveKit's native client prints debug lines to standard output otherwise.
process.env.NODE_ENV ??= 'production';

// Google's client warns, after the fact, that this is no machine of Google's: the error that follows says what to do.
process.removeAllListeners('warning');
process.on('warning', ({ name, message }) => {
  if (name !== 'MetadataLookupWarning') console.error(`${name}: ${message}`);
});

const main = new URL('../dist/cli/main.js', import.meta.url);

if (existsSync(main)) {
  await import(main.href);
} else {
  console.error(
    'DialogLens is not built yet. Run `npm install` and `npm run build` in the repository first.',
  );
  process.exitCode = 1;
}
