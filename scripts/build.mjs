/** `npm run build`: everything that is built, whether by TypeScript or by Vite. */
import { build } from './setup.mjs';

try {
  await build();
} catch (thrown) {
  console.error(thrown instanceof Error ? thrown.message : thrown);
  process.exitCode = 1;
}
