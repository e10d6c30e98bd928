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

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dialoglens-transcribe-'));
  const pcm = Int16Array.from({ length: 32_000 }, (_, i) => (i < 24_000 ? 12_000 * Math.sin(i / 8) : 0));
  await writeFile(join(folder, 'standup.wav'), writeWav({ sampleRate: 16_000, channels: 1, pcm }));
  await writeFile(join(folder, 'planning.wav'), writeWav({ sampleRate: 8_000, channels: 2, pcm }));
  await writeFile(
    join(folder, 'silence.wav'),
    writeWav({ sampleRate: 8_000, channels: 1, pcm: new Int16Array(8_000) }),
  );
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

  it('tests one with a recording', async () => {
    const { code, stdout } = await run('providers', 'test', 'scripted', 'standup.wav', '--fast');
    expect(stdout).toContain('good morning everyone');
    expect(stdout).toMatch(/^words +3$/m);
    expect(stdout).toMatch(/^cost +none$/m);
    expect(code).toBe(0);
  });

  it('knows no others', async () => {
    const { code, stderr } = await run('providers', 'test', 'gogle');
    expect(stderr).toContain('There is no speech provider "gogle".');
    expect(code).toBe(1);
  });
});
