import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { openWav, type WavStream } from '../../audio/wav-stream.ts';
import { asError, DialogLensError } from '../../errors.ts';

/** Audio of a file as it is read, with how long it is when that is known. */
export interface AudioSource {
  sampleRate: number;
  channels: number;
  durationMs: number | null;
  blocks: AsyncIterable<Float32Array[]>;
}

/** How files begin that are audio, or hold some. */
const knownBeginnings: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['a FLAC file', /^fLaC/],
  ['an Ogg file', /^OggS/],
  ['an MP3 file', /^(ID3|\xff[\xe2-\xfb])/],
  ['an MP4 file', /^....ftyp/s],
  ['a Matroska or WebM file', /^.E\u00df\u00a3/s],
  ['an AAC file', /^\xff[\xf0-\xf1\xf8-\xf9]/],
  ['an AIFF file', /^FORM....AIF/s],
  ['a CAF file', /^caff/],
  ['an AMR file', /^#!AMR/],
  ['an AVI file', /^RIFF....AVI /s],
];
const wavBeginning = /^(RIFF|RF64)....WAVE/s;
const errorTailBytes = 4_096;

/**
 * Opens a file of any format: WAV by ourselves, everything else through ffmpeg.
 * @throws DialogLensError `audio_unreadable` naming the file and what to do
 */
export async function openAudio(path: string, ffmpeg: string = 'ffmpeg'): Promise<AudioSource> {
  const beginning = await beginningOf(path);
  if (beginning === '') throw unreadable(path, 'is empty');
  try {
    if (wavBeginning.test(beginning)) return described(await openWav(createReadStream(path)));
    return await openWithFfmpeg(path, beginning, ffmpeg);
  } catch (thrown) {
    if (!(thrown instanceof DialogLensError) || thrown.field === path) throw thrown;
    const { remedy } = thrown;
    const why = thrown.message
      .replace(/^This WAV file cannot be read: /, 'is a damaged WAV file: ')
      .replace(/\.$/, '');
    throw unreadable(path, why, remedy, thrown);
  }
}

async function beginningOf(path: string): Promise<string> {
  try {
    if ((await stat(path)).isDirectory()) throw unreadable(path, 'is a folder', 'Name the files in it.');
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(64), 0, 64, 0);
      return buffer.subarray(0, bytesRead).toString('latin1');
    } finally {
      await file.close();
    }
  } catch (thrown) {
    if (thrown instanceof DialogLensError) throw thrown;
    const { code, message } = asError(thrown) as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'does not exist' : `cannot be opened (${code ?? message})`;
    throw unreadable(path, why, 'Name a file that is there and that this user may read.', thrown);
  }
}

function described({ sampleRate, channels, frames, blocks }: WavStream): AudioSource {
  return { sampleRate, channels, blocks, durationMs: frames === null ? null : (frames / sampleRate) * 1000 };
}

/** ffmpeg makes a WAV stream of it, which is read as if it were a file. */
async function openWithFfmpeg(path: string, beginning: string, ffmpeg: string): Promise<AudioSource> {
  const what = knownBeginnings.find(([, pattern]) => pattern.test(beginning))?.[0];
  // `file:` keeps names with colons and dashes from being taken for something else.
  const input = ['-hide_banner', '-nostdin', '-nostats', '-i', `file:${path}`, '-vn', '-map', '0:a:0?'];
  const child = spawn(ffmpeg, [...input, '-c:a', 'pcm_s16le', '-f', 'wav', 'pipe:1'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    // How long the file is stands at the beginning, what went wrong at the end.
    said =
      said.length > 2 * errorTailBytes
        ? said.slice(0, errorTailBytes) + said.slice(-errorTailBytes) + text
        : said + text;
  });
  const ended = new Promise<boolean>((resolve) => child.once('close', (code) => resolve(code === 0)));
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  failed.catch(() => undefined);
  try {
    const wav = await Promise.race([openWav(child.stdout), failed]);
    const brokeOff = () => unreadable(path, `could be read in part only${lastLine(said, path)}`);
    const blocks = untilEnd(wav.blocks, ended, brokeOff, child);
    return { ...described(wav), durationMs: durationIn(said), blocks };
  } catch (thrown) {
    child.kill();
    if ((asError(thrown) as NodeJS.ErrnoException).code === 'ENOENT') throw noFfmpeg(path, what);
    if (thrown instanceof DialogLensError) await ended;
    if (/^\s*Input #0/m.test(said) && !/Stream #.* Audio:/.test(said))
      throw unreadable(path, 'holds no sound');
    throw unreadable(path, `is no audio that ffmpeg can read${lastLine(said, path)}`, undefined, thrown);
  }
}

/** A decoder that dies leaves a stream that looks like one that ended. */
async function* untilEnd(
  blocks: AsyncGenerator<Float32Array[]>,
  endedWell: Promise<boolean>,
  brokeOff: () => DialogLensError,
  child: { kill(): boolean },
): AsyncGenerator<Float32Array[]> {
  try {
    yield* blocks;
    if (!(await endedWell)) throw brokeOff();
  } finally {
    child.kill();
  }
}

function durationIn(said: string): number | null {
  const found = /Duration: (\d+):(\d\d):(\d\d\.\d+)/.exec(said);
  if (!found) return null;
  const [hours, minutes, seconds] = found.slice(1).map(Number) as [number, number, number];
  return ((hours * 60 + minutes) * 60 + seconds) * 1000;
}

function lastLine(said: string, path: string): string {
  const line = said.trim().split('\n').at(-1)?.replaceAll(`file:${path}`, '').trim() ?? '';
  return line === '' ? '' : ` (${line.replace(/^[:\s]+/, '').replace(/\.$/, '')})`;
}

function noFfmpeg(path: string, what: string | undefined): DialogLensError {
  if (what === undefined) return unreadable(path, 'does not look like audio');
  return unreadable(
    path,
    `is ${what}, and ffmpeg, which reads everything but WAV, is not on the PATH`,
    'Install ffmpeg (`apt install ffmpeg`, `brew install ffmpeg`), or convert the file to WAV.',
  );
}

function unreadable(path: string, why: string, remedy?: string, cause?: unknown): DialogLensError {
  return new DialogLensError('audio_unreadable', `${path} ${why}.`, {
    field: path,
    remedy: remedy ?? 'Give WAV, FLAC, Ogg, MP3 or MP4 files with somebody speaking in them.',
    ...(cause !== undefined && { cause }),
  });
}
