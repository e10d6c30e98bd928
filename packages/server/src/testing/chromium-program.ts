import { access } from 'node:fs/promises';
import { installDebianPackage } from './debian-package.ts';

const programs = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const hint = 'Chromium is needed here: install it with "apt-get install chromium".';

/** Path of Chromium. Installs it where that is possible. @throws Error what to install, where it is not */
export async function findChromium(): Promise<string> {
  const found = await firstOf(programs);
  if (found !== null) return found;
  await installDebianPackage('chromium', hint);
  const installed = await firstOf(programs);
  if (installed === null) throw new Error(hint);
  return installed;
}

async function firstOf(paths: readonly string[]): Promise<string | null> {
  for (const path of paths) {
    const exists = await access(path).then(
      () => true,
      () => false,
    );
    if (exists) return path;
  }
  return null;
}
