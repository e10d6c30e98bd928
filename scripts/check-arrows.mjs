/** Checks the arrows between folders, and that the checker saw the source at all: with nothing seen it would be content. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { cruise } from 'dependency-cruiser';
import extractOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';
import { root } from './setup.mjs';

process.chdir(root);
const folders = ['packages/protocol/src', 'packages/server/src', 'packages/web/src'];
const expected = folders.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true }).filter((name) => /\.tsx?$/.test(name)),
).length;

const options = await extractOptions(join(root, '.dependency-cruiser.cjs'));
const { output } = await cruise(folders, options);
const seen = output.modules.filter((module) =>
  folders.some((folder) => module.source.startsWith(folder)),
).length;
const { violations } = output.summary;

for (const { rule, from, to } of violations) console.log(`${rule.name}: ${from} → ${to}`);
if (seen < expected) console.log(`Only ${seen} of ${expected} modules were seen: the check is blind.`);
if (output.summary.totalDependenciesCruised < seen)
  console.log('Hardly any imports were seen: the check is blind.');
console.log(
  `${seen} modules, ${output.summary.totalDependenciesCruised} imports, ${violations.length} wrong`,
);
const blind = seen < expected || output.summary.totalDependenciesCruised < seen;
process.exitCode = violations.length === 0 && !blind ? 0 : 1;
