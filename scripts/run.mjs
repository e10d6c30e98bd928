/** `npm start` and `npm run demo`: set-up, then the program itself. Further arguments go to it. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { install, root } from './setup.mjs';

try {
  await install();
  process.exitCode = await runProgram(process.argv.slice(2));
} catch (thrown) {
  console.error(thrown instanceof Error ? thrown.message : thrown);
  process.exitCode = 1;
}

/**
 * A terminal sends Ctrl-C to the program itself (first: drain, second: force), and npm passes the same one on to us a
 * second time; handing that to the program would make one key press look like two. Without a terminal we are the only
 * one who can tell it.
 */
function runProgram(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'packages/server/bin/dialoglens.js'), ...args], {
      stdio: 'inherit',
    });
    const hasTerminal = process.stdin.isTTY || process.stdout.isTTY;
    process.on('SIGINT', () => {
      if (!hasTerminal) child.kill('SIGINT');
    });
    process.on('SIGTERM', () => child.kill('SIGTERM'));
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}
