import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeWav } from '../audio/wav.ts';

const program = fileURLToPath(new URL('../../bin/dialoglens.js', import.meta.url));
let folder: string;

/** Four seconds of one channel, or two of both: three quarters tone, the rest silence. */
function loud(sampleRate: number): Int16Array {
  const length = 4 * sampleRate;
  return Int16Array.from({ length }, (_, i) => (i < 0.75 * length ? 12_000 * Math.sin(i / 8) : 0));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dialoglens-transcribe-'));
  const pcm = loud(8_000);
  await writeFile(join(folder, 'standup.wav'), writeWav({ sampleRate: 16_000, channels: 1, pcm }));
  await writeFile(join(folder, 'planning.wav'), writeWav({ sampleRate: 8_000, channels: 2, pcm }));
  await writeFile(
    join(folder, 'silence.wav'),
    writeWav({ sampleRate: 8_000, channels: 1, pcm: new Int16Array(8_000) }),
  );
  await writeFile(join(folder, 'disc.wav'), writeWav({ sampleRate: 44_100, channels: 2, pcm: loud(44_100) }));
  await writeFile(
    join(folder, 'nothing.wav'),
    writeWav({ sampleRate: 16_000, channels: 1, pcm: new Int16Array(0) }),
  );
  await writeFile(join(folder, 'empty.wav'), '');
  await writeFile(join(folder, 'notes.wav'), 'no sound at all');
  await mkdir(join(folder, 'captions'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = {
    HOME: folder,
    PATH: '/nowhere',
    DIALOGLENS_SPEECH_PROVIDER: 'scripted',
    DIALOGLENS_SPEECH_SCRIPT: 'good morning everyone',
  };
  try {
    const options = { env, cwd: folder };
    return { code: 0, ...(await promisify(execFile)(process.execPath, [program, ...args], options)) };
  } catch (thrown) {
    const { code, stdout, stderr } = thrown as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

describe('dialoglens transcribe', { timeout: 120_000 }, () => {
  it('writes the transcript alone to standard output', async () => {
    const { code, stdout, stderr } = await run('transcribe', 'standup.wav');
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toMatch(/^Transcript of standup\n/);
    expect(stdout).toContain('Speaker: good morning everyone');
    expect(stderr).toContain('✓ standup.wav');
  });

  it('takes the format from the ending of the file it writes', async () => {
    await run('transcribe', 'standup.wav', '--out', 'standup.vtt');
    expect(await readFile(join(folder, 'standup.vtt'), 'utf8')).toMatch(/^WEBVTT\n/);
    await run('transcribe', 'standup.wav', '--out', 'standup.PDF');
    expect(await readFile(join(folder, 'standup.PDF'), 'latin1')).toMatch(/^%PDF-/);
  });

  it('writes a file for each recording, goes on after one that cannot be read, and says so', async () => {
    const files = ['standup.wav', 'notes.wav', 'planning.wav', 'silence.wav'];
    const { code, stdout, stderr } = await run(
      'transcribe',
      ...files,
      '--format',
      'srt',
      '--out',
      'captions',
    );
    expect(stdout).toBe('');
    expect(await readdir(join(folder, 'captions'))).toEqual(['planning.srt', 'silence.srt', 'standup.srt']);
    expect(stderr).toContain('notes.wav does not look like audio.');
    expect(stderr).toContain('silence.wav: Nobody speaks in it.');
    expect(code).toBe(1);
  });

  it('says of a recording without any sound that nobody speaks in it, and of an empty file that it is empty', async () => {
    const { code, stdout, stderr } = await run('transcribe', 'nothing.wav', 'empty.wav');
    expect(stdout).toMatch(/^Transcript of nothing\n/);
    expect(stderr).toContain('nothing.wav: Nobody speaks in it.');
    expect(stderr).toContain('empty.wav is empty.');
    expect(code).toBe(1);
  });

  it('keeps recordings of the same name in different folders apart', async () => {
    await mkdir(join(folder, 'monday'), { recursive: true });
    await copyFile(join(folder, 'standup.wav'), join(folder, 'monday', 'standup.wav'));
    const { stderr } = await run('transcribe', 'standup.wav', 'monday/standup.wav', '--out', 'week/');
    expect(stderr).toContain('Wrote week/monday-standup.wav.txt');
    expect(await readdir(join(folder, 'week'))).toEqual(['monday-standup.wav.txt', 'standup.wav.txt']);
  });

  it('refuses what it cannot do before anything is loaded', async () => {
    const gone = await run('transcribe', 'standup.wav', 'gone.wav');
    expect(gone).toMatchObject({ code: 1, stdout: '' });
    expect(gone.stderr).toContain('gone.wav does not exist.');
    const one = await run('transcribe', 'standup.wav', 'planning.wav', '--out', 'standup.wav');
    expect(one.stderr).toContain('standup.wav is a file, and there are 2 recordings.');
    const twice = await run('transcribe', 'standup.wav', './standup.wav', '--out', 'twice');
    expect(twice.stderr).toContain('would overwrite each other.');
    const inFile = await run('transcribe', 'standup.wav', '--out', 'planning.wav/captions/');
    expect(inFile.stderr).toContain('✗ The folder planning.wav/captions/ cannot be made (ENOTDIR).');
  });
});

describe('dialoglens providers', { timeout: 120_000 }, () => {
  it('lists every provider with what it can do, and which is used', async () => {
    const rows = JSON.parse((await run('providers', '--json')).stdout);
    expect(rows).toContainEqual(
      expect.objectContaining({
        name: 'scripted',
        use: 'first',
        state: 'ok',
        capabilities: expect.any(Object),
      }),
    );
    expect(rows).toContainEqual(expect.objectContaining({ name: 'local', use: '', state: 'unused' }));
    expect((await run('providers')).stdout).toMatch(/^scripted +first +any \+ auto +yes/m);
  });

  it('says how long a final takes from the end of speech', async () => {
    const { stdout } = await run('providers', 'test', 'scripted', 'standup.wav');
    expect(stdout).toMatch(/^final text +\d+ ms after the end of speech$/m);
  });

  it('tests one with a recording', async () => {
    const { code, stdout } = await run('providers', 'test', 'scripted', 'standup.wav', '--fast');
    expect(stdout).toContain('good morning everyone');
    expect(stdout).toMatch(/^words +3$/m);
    expect(stdout).toMatch(/^cost +none$/m);
    expect(code).toBe(0);
  });

  it.each(['planning.wav', 'disc.wav'])(
    'tests one with a recording of another rate, in stereo: %s',
    async (file) => {
      const { code, stdout } = await run('providers', 'test', 'scripted', file, '--fast');
      expect(stdout).toMatch(/^text +good morning everyone$/m);
      expect(code).toBe(0);
    },
  );

  it.each([
    ['silence.wav', 'Nobody speaks in it'],
    ['nothing.wav', 'Nobody speaks in it'],
    ['empty.wav', 'empty.wav is empty.'],
    ['notes.wav', 'notes.wav does not look like audio.'],
  ])('says what is wrong with a recording to test one with: %s', async (file, message) => {
    const { code, stdout, stderr } = await run('providers', 'test', 'scripted', file, '--fast');
    expect(stdout + stderr).toContain(message);
    expect(code).toBe(1);
  });

  it('knows no others', async () => {
    const { code, stderr } = await run('providers', 'test', 'gogle');
    expect(stderr).toContain('There is no speech provider "gogle".');
    expect(code).toBe(1);
  });
});
