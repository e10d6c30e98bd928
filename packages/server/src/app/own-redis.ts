import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../observability/telemetry.ts';
import { ownPassword } from './own-password.ts';
import { type OwnServer, startOwnServer } from './own-server.ts';

/** Runs a Redis that only we can use. It keeps nothing on disk: the live picture is rebuilt within seconds. */
export async function startOwnRedis(options: {
  program: string;
  folder: string;
  logger: Logger;
}): Promise<OwnServer> {
  const { program, folder, logger } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const password = await ownPassword(join(folder, 'password'));
  const server = await startOwnServer({
    name: 'Redis',
    setting: 'REDIS_URL',
    logFile: join(folder, 'redis.log'),
    cwd: folder,
    goodbye: 'TERM',
    logger,
    async command(port) {
      // In a file that only this user can read: on a command line everybody on the machine sees the password.
      const file = join(folder, 'redis.conf');
      const lines = ['bind 127.0.0.1', `port ${port}`, 'save ""', 'appendonly no', `requirepass ${password}`];
      await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
      return [program, file];
    },
  });
  return { ...server, url: `redis://:${password}@127.0.0.1:${server.port}` };
}
