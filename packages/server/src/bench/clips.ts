import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** A recording and what is said in it. */
export interface Clip {
  path: string;
  /** The folder it lies in: clips of one corpus are counted together. */
  corpus: string;
  /** Clips of one speaker follow each other on one track. */
  speaker: string;
  reference: string;
}

const maxBytes = 64 * 1024 * 1024;
/** `NAME: words | NAME: words`: several people on one track, which is not what a track of LiveKit holds. */
const severalSpeakers = / \| /;

/**
 * Reads `MANIFEST.tsv` of a folder: a heading, then a line per clip with tabs between the columns `file`,
 * `speaker/corpus` and `reference`, which may stand anywhere. Clips with several speakers are left out.
 * @throws Error naming the column that is missing
 */
export async function readManifest(folder: string): Promise<Clip[]> {
  const [heading = '', ...rows] = (await readFile(join(folder, 'MANIFEST.tsv'), 'utf8')).trim().split('\n');
  const columns = heading.split('\t').map((name) => name.trim());
  const [file, speaker, reference] = ['file', 'speaker/corpus', 'reference'].map((name) => {
    const at = columns.indexOf(name);
    if (at === -1) throw new Error(`MANIFEST.tsv has no column "${name}".`);
    return at;
  }) as [number, number, number];
  return rows
    .map((row) => row.split('\t').map((cell) => cell.trim()))
    .filter((cells) => cells[file] && cells[reference] && !severalSpeakers.test(cells[reference]))
    .map((cells) => ({
      path: join(folder, cells[file] ?? ''),
      corpus: dirname(cells[file] ?? ''),
      speaker: cells[speaker] ?? '',
      reference: cells[reference] ?? '',
    }));
}

/** Decodes any recording to 16 kHz mono PCM. @throws Error when `sox` is missing or cannot read the file */
export async function decodeClip(path: string): Promise<Int16Array> {
  const format = ['-t', 'raw', '-r', '16000', '-c', '1', '-b', '16', '-e', 'signed-integer', '-'];
  try {
    const { stdout } = await promisify(execFile)('sox', [path, ...format], {
      encoding: 'buffer',
      maxBuffer: maxBytes,
    });
    return new Int16Array(new Uint8Array(stdout).buffer);
  } catch (thrown) {
    throw new Error(`${path} could not be read with sox (Debian: \`apt install sox\`).`, { cause: thrown });
  }
}
