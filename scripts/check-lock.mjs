/**
 * Checks that package-lock.json names the optional packages of every platform, not only of the one it was made on:
 * `npm ci` refuses a lock file that lacks some. npm leaves them out when its registry does not serve them. `--fix` adds
 * what is missing, with the platform that the package's name tells; npm fetches such a package only on that platform.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

const file = join(root, 'package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8'));
const platforms = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'];
const processors = ['arm64', 'arm', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

const missing = Object.entries(lock.packages).flatMap(([path, entry]) =>
  Object.entries(entry.optionalDependencies ?? {})
    .filter(([name]) => !isLocked(path, name))
    .map(([name, version]) => ({ name, version, parent: entry })),
);

if (process.argv.includes('--fix')) {
  for (const { name, version, parent } of missing)
    lock.packages[`node_modules/${name}`] = made(name, version, parent);
  const sorted = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en'));
  lock.packages = Object.fromEntries(sorted);
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`${missing.length} packages added`);
} else if (missing.length > 0) {
  console.log(
    missing.map(({ name, version }) => `${name}@${version} is not in package-lock.json`).join('\n'),
  );
  console.log('Run `node scripts/check-lock.mjs --fix` and commit it.');
  process.exitCode = 1;
} else {
  console.log(`${Object.keys(lock.packages).length} packages`);
}

/** Looks in the node_modules folders that Node would look in. */
function isLocked(path, name) {
  for (let folder = path; ; folder = folder.replace(/\/?node_modules\/(@[^/]+\/)?[^/]+$/, '')) {
    if (lock.packages[`${folder}${folder && '/'}node_modules/${name}`]) return true;
    if (!folder.includes('node_modules/')) return Boolean(lock.packages[`node_modules/${name}`]);
  }
}

function made(name, version, parent) {
  if (!/^\d+\.\d+\.\d+/.test(version)) throw new Error(`${name}: which version is ${version}?`);
  const words = name.split(/[/_-]/);
  const os = platforms.find((platform) => words.includes(platform));
  const cpu = processors.find((processor) => words.includes(processor));
  const libc = ['musl', 'gnu'].find((library) => words.some((word) => word.startsWith(library)));
  if (!os || !cpu) throw new Error(`${name}: its name does not tell the platform; add it by hand.`);
  return {
    version,
    cpu: [cpu],
    ...(parent.dev && { dev: true }),
    ...(libc && { libc: [libc === 'musl' ? 'musl' : 'glibc'] }),
    optional: true,
    os: [os],
  };
}
