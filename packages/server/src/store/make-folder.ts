import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder with those above it. Not `mkdir` with `recursive`, which tries for ever where the folder above is there
 * and takes no folders, as `/proc` does.
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await makeOne(folder);
  } catch (thrown) {
    const above = dirname(resolve(folder));
    if (!hasCode(thrown, 'ENOENT') || above === resolve(folder)) throw thrown;
    await makeFolder(above);
    await makeOne(folder);
  }
}

async function makeOne(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (thrown) {
    if (!hasCode(thrown, 'EEXIST') || !(await stat(folder)).isDirectory()) throw thrown;
  }
}

function hasCode(thrown: unknown, code: string): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === code;
}
