import { execFile } from 'node:child_process';
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { processEnvironment } from '../config/index.ts';

/** Versions that fit each other. */
const packages = [
  '@livekit/agents@1.9.0',
  '@livekit/rtc-node@0.13.34',
  '@livekit/agents-plugin-deepgram@1.9.0',
];
const name = 'deepgram-1.9.0';

/** Folder with a real plugin in it, in the cache of the machine; installed when it is not there (some 290 MB). */
export async function deepgramPluginFolder(): Promise<string> {
  const cache = join(processEnvironment.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'dialoglens', 'plugins');
  const folder = join(cache, name);
  const isThere = await access(join(folder, 'node_modules', '@livekit', 'agents-plugin-deepgram')).then(
    () => true,
    () => false,
  );
  if (isThere) return folder;
  const work = join(cache, `.incoming-${process.pid}`);
  await mkdir(work, { recursive: true });
  await writeFile(join(work, 'package.json'), '{ "private": true }\n');
  await promisify(execFile)('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...packages], {
    cwd: work,
  });
  // Another run may have been faster.
  await rename(work, folder).catch(() => rm(work, { recursive: true, force: true }));
  return folder;
}
