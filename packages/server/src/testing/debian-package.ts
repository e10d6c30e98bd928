import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const installTimeoutMs = 300_000;
/** Tests run side by side, and the package manager takes one at a time. */
const lockFile = join(tmpdir(), 'dialoglens-install.lock');

/** Installs a package of Debian where that is possible; throws `hint`, what to install, where it is not. */
export async function installDebianPackage(name: string, hint: string): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error(hint);
  // At run level 1 no service is started: tests start their own.
  const aptGet = (...how: string[]) =>
    run(
      'flock',
      [lockFile, 'env', 'RUNLEVEL=1', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-qq', ...how],
      {
        timeout: installTimeoutMs,
      },
    );
  await aptGet('update');
  await aptGet('install', '-y', '--no-install-recommends', name);
}
