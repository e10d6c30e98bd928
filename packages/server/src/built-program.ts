import { fileURLToPath } from 'node:url';

/**
 * Path of a program of ours for another process or thread, such as `store/pglite/engine-host.js`: the built one, also when
 * this runs from source, because Node 20 runs no TypeScript.
 */
export function builtProgram(path: string): string {
  return fileURLToPath(new URL(`../dist/${path}`, import.meta.url));
}
