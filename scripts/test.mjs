/**
 * `npm test`: set-up, checks, every test. Works on a fresh clone. Arguments go to vitest, so that
 * `npm test -- packages/server/src/audio` runs a part. The last line is `N passed, N failed`; the exit code is 0 only
 * when nothing failed and something ran.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchAssets, install, root } from './setup.mjs';

/** A run that hangs must end while somebody still waits for it. */
const testLimitMs = 45 * 60_000;
const total = { passed: 0, failed: 0, skipped: 0 };

await main();
if (total.skipped > 0) console.log(`${total.skipped} skipped`);
if (total.passed === 0 && total.failed === 0) fail('No test ran.');
process.exitCode = total.failed === 0 ? 0 : 1;
console.log(`${total.passed} passed, ${total.failed} failed`);

async function main() {
  if (!(await attempt('Set-up', install))) return;
  // Tests that need neither model nor server still tell something when one of these is missing.
  await attempt('Set-up', fetchAssets);
  const code = await runNode([join(root, 'scripts/check.mjs')]);
  if (code === 0) total.passed++;
  else fail('npm run check failed.');
  await runVitest(process.argv.slice(2));
}

async function attempt(what, work) {
  try {
    await work();
    return true;
  } catch (thrown) {
    fail(`${what} failed: ${thrown instanceof Error ? thrown.message : thrown}`);
    return false;
  }
}

function fail(message) {
  total.failed++;
  console.log(message);
}

async function runVitest(args) {
  const folder = mkdtempSync(join(tmpdir(), 'dialoglens-test-'));
  const countsFile = join(folder, 'counts.json');
  try {
    const reporters = ['--reporter=default', `--reporter=${join(root, 'scripts/count-reporter.mjs')}`];
    const code = await runNode([join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...reporters, ...args], {
      VITEST_COUNTS_FILE: countsFile,
    });
    addCounts(code, countsFile);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function addCounts(code, countsFile) {
  if (!existsSync(countsFile)) {
    fail(`The test run ended without a result (${code}).`);
    return;
  }
  const counts = JSON.parse(readFileSync(countsFile, 'utf8'));
  total.passed += counts.passed;
  total.failed += counts.failed + counts.outside;
  total.skipped += counts.skipped;
  if (!counts.finished) fail('The test run was interrupted.');
  else if (code !== 0 && counts.failed + counts.outside === 0) fail(`The test run ended with ${code}.`);
}

/** Resolves to the exit code, or to the name of the signal that ended the child. */
function runNode(args, env = {}) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, ...env },
    });
    const forward = () => child.kill('SIGTERM');
    const timer = setTimeout(() => {
      console.log(`Stopped after ${testLimitMs / 60_000} minutes.`);
      child.kill('SIGKILL');
    }, testLimitMs);
    process.once('SIGTERM', forward);
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      process.off('SIGTERM', forward);
      resolve(code ?? signal);
    });
  });
}
