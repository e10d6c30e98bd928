import { processEnvironment } from '../config/index.ts';

/** How the reader can call this program: by npx when that, or a script of npm, called it now. */
export function ownName(): string {
  return processEnvironment.npm_execpath === undefined ? 'dialoglens' : 'npx dialoglens';
}
