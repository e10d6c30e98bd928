import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A file system of its own, in memory, that a test can fill up. */
export interface SmallDisk {
  path: string;
  /** Leaves at most about this many bytes. */
  fill(leaveBytes: number): Promise<void>;
  /** Takes away again what `fill` put there. */
  empty(): Promise<void>;
  unmount(): Promise<void>;
}

/** Makes the folder `path` and mounts a disk there. `options` are those of tmpfs, such as `size=100m`. */
export async function mountDisk(path: string, options: string): Promise<SmallDisk> {
  await mkdir(path);
  await run('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path]);
  const ballast = join(path, 'ballast');
  return {
    path,
    async fill(leaveBytes) {
      const { bavail, bsize } = await statfs(path);
      const bytes = Buffer.alloc(Math.max(0, bavail * bsize - leaveBytes));
      await writeFile(ballast, bytes).catch((thrown: NodeJS.ErrnoException) => {
        // Somebody wrote meanwhile: it is as full as can be.
        if (thrown.code !== 'ENOSPC') throw thrown;
      });
    },
    empty: () => rm(ballast, { force: true }),
    unmount: async () => {
      await run('umount', [path]);
    },
  };
}

/** Mounting takes root, and in a container a capability as well. */
export async function mountingWorks(): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'dialoglens-mount-'));
  try {
    const disk = await mountDisk(join(folder, 'disk'), 'size=1m');
    await disk.unmount();
    return true;
  } catch {
    return false;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
