import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeWav } from '../../audio/wav.ts';
import { openAudio } from './audio-source.ts';

let folder: string;
const at = (name: string) => join(folder, name);
const wav = writeWav({ sampleRate: 48_000, channels: 2, pcm: Int16Array.of(16_384, 0, -16_384, 0) });

/** A program in ffmpeg's place: it is asked as ffmpeg is, and answers as ffmpeg does. */
async function standIn(name: string, body: string): Promise<string> {
  await writeFile(at(name), `#!${process.execPath}\n${body}`);
  await chmod(at(name), 0o755);
  return at(name);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dialoglens-audio-'));
  await writeFile(at('meeting.wav'), wav);
  await writeFile(at('-odd: name.flac'), 'fLaC and so on');
  await writeFile(at('notes.txt'), 'Not a sound.');
  await writeFile(at('empty.wav'), '');
  await writeFile(at('cut.wav'), wav.subarray(0, 30));
});
afterAll(() => rm(folder, { recursive: true }));

async function firstBlock(path: string, ffmpeg?: string) {
  const { blocks, ...rest } = await openAudio(path, ffmpeg);
  const all: number[][][] = [];
  for await (const block of blocks) all.push(block.map((channel) => [...channel]));
  return { ...rest, all };
}

const missing = '/not/there/ffmpeg';

describe('Audio of a file', () => {
  it('is read without any other program when it is WAV', async () => {
    expect(await firstBlock(at('meeting.wav'), missing)).toEqual({
      sampleRate: 48_000,
      channels: 2,
      durationMs: (2 / 48_000) * 1000,
      all: [
        [
          [0.5, -0.5],
          [0, 0],
        ],
      ],
    });
  });

  it('is read through ffmpeg otherwise, whatever the name of the file', async () => {
    const ffmpeg = await standIn(
      'ffmpeg-well',
      `const { argv, stdout, stderr } = process;
       if (!argv.includes('file:' + ${JSON.stringify(at('-odd: name.flac'))})) process.exit(1);
       stderr.write('Input #0, flac\\n  Duration: 01:02:03.50, start: 0\\n  Stream #0:0: Audio: flac\\n');
       const wav = Buffer.from('${Buffer.from(wav).toString('base64')}', 'base64');
       wav.writeUInt32LE(0xffffffff, 40);
       setTimeout(() => stdout.write(wav), 50);`,
    );
    expect(await firstBlock(at('-odd: name.flac'), ffmpeg)).toEqual({
      sampleRate: 48_000,
      channels: 2,
      durationMs: 3_723_500,
      all: [
        [
          [0.5, -0.5],
          [0, 0],
        ],
      ],
    });
  });

  it('does not look complete when ffmpeg dies over it', async () => {
    const ffmpeg = await standIn(
      'ffmpeg-dies',
      `const wav = Buffer.from('${Buffer.from(wav).toString('base64')}', 'base64');
       wav.writeUInt32LE(0xffffffff, 40);
       process.stderr.write('Error while decoding: corrupt frame.\\n');
       process.stdout.write(wav, () => process.exit(69));`,
    );
    await expect(firstBlock(at('-odd: name.flac'), ffmpeg)).rejects.toMatchObject({
      code: 'audio_unreadable',
      message: expect.stringMatching(/could be read in part only \(Error while decoding: corrupt frame\)\.$/),
    });
  });

  it('may be left in the middle', async () => {
    const ffmpeg = await standIn(
      'ffmpeg-endless',
      `const wav = Buffer.from('${Buffer.from(wav).toString('base64')}', 'base64');
       wav.writeUInt32LE(0xffffffff, 40);
       process.stdout.write(wav);
       setInterval(() => process.stdout.write(Buffer.alloc(65_536)), 5);`,
    );
    const { blocks } = await openAudio(at('-odd: name.flac'), ffmpeg);
    for await (const block of blocks) {
      expect(block.length).toBe(2);
      break;
    }
  });

  it.each<[file: string, message: string]>([
    ['gone.wav', 'gone.wav does not exist.'],
    ['.', ' is a folder.'],
    ['empty.wav', 'empty.wav is empty.'],
    ['notes.txt', 'notes.txt does not look like audio.'],
    ['cut.wav', 'cut.wav is a damaged WAV file: it ends within its format.'],
    ['-odd: name.flac', 'is a FLAC file, and ffmpeg, which reads everything but WAV, is not on the PATH.'],
  ])('is refused: %s', async (file, message) => {
    await expect(openAudio(at(file), missing)).rejects.toMatchObject({
      code: 'audio_unreadable',
      message: expect.stringContaining(message),
      remedy: expect.any(String),
    });
  });

  it('is refused in the words of ffmpeg, or for having no sound', async () => {
    const refusing = await standIn(
      'ffmpeg-refuses',
      `process.stderr.write('Error opening input: Invalid data found.\\n'); process.exitCode = 183;`,
    );
    await expect(openAudio(at('notes.txt'), refusing)).rejects.toThrow(
      'Error opening input: Invalid data found',
    );
    const silent = await standIn(
      'ffmpeg-silent',
      `process.stderr.write('Input #0, mov\\n  Stream #0:0: Video: h264\\nOutput file does not contain any stream\\n'); process.exitCode = 1;`,
    );
    await expect(openAudio(at('notes.txt'), silent)).rejects.toThrow('holds no sound');
  });
});
