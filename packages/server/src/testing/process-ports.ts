import { readdir, readFile, readlink } from 'node:fs/promises';

const tables = ['tcp', 'tcp6', 'udp', 'udp6'];

/** Ports of a process' sockets, as Linux tells them: so a test knows whose traffic passes by. */
export async function portsOf(pid: number): Promise<ReadonlySet<number>> {
  const own = await socketsOf(pid);
  const lines = await Promise.all(
    tables.map(async (table) => (await readFile(`/proc/${pid}/net/${table}`, 'utf8')).split('\n').slice(1)),
  );
  const ports = lines.flat().flatMap((line) => {
    const [, local = '', , , , , , , , inode = ''] = line.trim().split(/\s+/);
    return own.has(inode) ? [Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16)] : [];
  });
  return new Set(ports);
}

async function socketsOf(pid: number): Promise<ReadonlySet<string>> {
  const folder = `/proc/${pid}/fd`;
  const targets = await Promise.allSettled(
    (await readdir(folder)).map((name) => readlink(`${folder}/${name}`)),
  );
  const inodes = targets.flatMap((target) => {
    // Files are closed while they are looked at.
    if (target.status === 'rejected') return [];
    const inode = /^socket:\[(\d+)\]$/.exec(target.value)?.[1];
    return inode === undefined ? [] : [inode];
  });
  return new Set(inodes);
}
