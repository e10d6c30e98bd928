import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const answerWithinMs = 5_000;

/** Where packages keep PostgreSQL's programs, which they leave out of the PATH: one folder a version. */
const postgresFolders: readonly { above: string; below: string; names: RegExp }[] = [
  { above: '/usr/lib/postgresql', below: 'bin', names: /^\d+$/ },
  { above: '/opt/homebrew/opt', below: 'bin', names: /^postgresql(@\d+)?$/ },
  { above: '/usr/local/opt', below: 'bin', names: /^postgresql(@\d+)?$/ },
];
const oldestPostgres = 15;
const oldestRedis = 6;

/** Folder of the newest installed PostgreSQL that is new enough, with a slash at its end; empty for the PATH. */
export async function findPostgres(): Promise<string | null> {
  const folders = await Promise.all(postgresFolders.map(candidates));
  const all = ['', ...folders.flat()];
  const found = await Promise.all(
    all.map(async (folder) => ({ folder, version: await postgresVersion(folder) })),
  );
  const newest = found.sort((a, b) => b.version - a.version)[0];
  return newest && newest.version >= oldestPostgres ? newest.folder : null;
}

async function candidates({ above, below, names }: (typeof postgresFolders)[number]): Promise<string[]> {
  const inside = await readdir(above).catch((thrown: unknown) => {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return [];
    throw thrown;
  });
  return inside.filter((name) => names.test(name)).map((name) => `${join(above, name, below)}/`);
}

/** 0 where there is none, or where the tool that makes a new database is missing. */
async function postgresVersion(folder: string): Promise<number> {
  const [server, maker] = await Promise.all([
    firstNumber(`${folder}postgres`, / (\d+)/),
    firstNumber(`${folder}initdb`, / (\d+)/),
  ]);
  return Math.min(server, maker);
}

/** Redis, or Valkey, which speaks the same; null when there is none or an old one. */
export async function findRedis(): Promise<string | null> {
  for (const name of ['redis-server', 'valkey-server']) {
    if ((await firstNumber(name, / v=(\d+)\./)) >= oldestRedis) return name;
  }
  return null;
}

/** The major version that a program tells; 0 when it cannot be run. */
async function firstNumber(program: string, pattern: RegExp): Promise<number> {
  const said = await run(program, ['--version'], { timeout: answerWithinMs }).catch(() => null);
  return Number(pattern.exec(said?.stdout ?? '')?.[1] ?? 0);
}
