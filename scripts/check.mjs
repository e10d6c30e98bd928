/**
 * `npm run check`: everything that can be said about the source without running it. One line a check, details of the
 * failed ones at the end; the exit code is 0 only when all are ok.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './progress.mjs';
import { root } from './setup.mjs';

const node = process.execPath;
const tool = (path) => join(root, 'node_modules', path);

/** Types first: the other checks read what it builds. */
const first = [{ name: 'types', args: [tool('typescript/bin/tsc'), '-b'] }];
const rest = [
  {
    name: 'style',
    args: [tool('@biomejs/biome/bin/biome'), 'ci', '--colors=off', '--error-on-warnings', '.'],
  },
  { name: 'arrows', args: [join(root, 'scripts/check-arrows.mjs')] },
  { name: 'lock file', args: [join(root, 'scripts/check-lock.mjs')] },
  { name: 'dead code', args: [tool('knip/bin/knip.js'), '--no-progress'] },
  { name: 'budgets', args: [join(root, 'scripts/check-budgets.mjs')] },
  { name: 'page weight', args: [join(root, 'scripts/check-page-weight.mjs')] },
  { name: 'generated files', args: [join(root, 'scripts/generate.mjs'), '--check'] },
];

if (!existsSync(tool('typescript'))) {
  console.error('Packages are not installed. Run `npm ci` first.');
  process.exit(1);
}
const failures = [...(await inTurn(first)), ...(await twoAtATime(rest))].filter((result) => !result.ok);
for (const { name, output } of failures) console.log(`\n── ${name} ──\n${output.trimEnd()}`);
process.exitCode = failures.length === 0 ? 0 : 1;

async function inTurn(checks) {
  const results = [];
  for (const check of checks) results.push(await runCheck(check));
  return results;
}

/** Each check keeps about one core busy, and small machines have two. */
async function twoAtATime(checks) {
  const waiting = [...checks];
  const lane = async () => {
    const results = [];
    for (let check = waiting.shift(); check; check = waiting.shift()) results.push(await runCheck(check));
    return results;
  };
  return (await Promise.all([lane(), lane()])).flat();
}

async function runCheck({ name, args }) {
  const startedAt = performance.now();
  const { ok, output } = await run(node, args, { cwd: root });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`check ${name.padEnd(16)} ${ok ? 'ok' : 'FAILED'} (${seconds} s)`);
  return { name, ok, output };
}
