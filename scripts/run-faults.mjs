/** `npm run faults -- --minutes N`: set-up, then real faults against real servers. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fetchAssets, install, root } from './setup.mjs';

await install();
await fetchAssets();
const main = join(root, 'packages/server/dist/testing/faults/main.js');
const env = { ...process.env, NODE_ENV: 'production' };
const { status } = spawnSync(process.execPath, [main, ...process.argv.slice(2)], { stdio: 'inherit', env });
process.exitCode = status ?? 1;
