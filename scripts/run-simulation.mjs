/** `npm run simulate -- --seeds N | --seed N`: set-up, then the simulated cluster; see ARCHITECTURE.md. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { install, root } from './setup.mjs';

await install();
const main = join(root, 'packages/server/dist/testing/simulation/main.js');
const { status } = spawnSync(process.execPath, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
process.exitCode = status ?? 1;
