import { DialogLensError } from '../errors.ts';

/** What a WAV file says of its samples. */
export interface WavFormat {
  sampleRate: number;
  channels: number;
  /** Frames (a sample of every channel) in the file; null when it was written before its end was known. */
  frames: number | null;
}

export interface WavStream extends WavFormat {
  /** The audio in order, one array for each channel, between -1 and 1. */
  blocks: AsyncGenerator<Float32Array[]>;
}

type ReadSample = (view: DataView, at: number) => number;

interface Encoding extends WavFormat {
  bytesPerSample: number;
  read: ReadSample;
}

const pcmTag = 1;
const floatTag = 3;
const aLawTag = 6;
const muLawTag = 7;
const extensibleTag = 0xfffe;
/** A header this long is none. */
const maxChunkBytes = 1_000_000;
const blockFrames = 16_384;
/** Files that were written as a stream say this, or 0, for their length; files of more than 4 GB say it elsewhere. */
const unknownLength = 0xffff_ffff;

/**
 * Reads a WAV file of any length without holding it: PCM of 8, 16, 24 and 32 bits, floating point, A-law and µ-law.
 * @throws DialogLensError `audio_unreadable` saying what is wrong with it
 */
export async function openWav(source: AsyncIterable<Uint8Array>): Promise<WavStream> {
  const reader = new ByteReader(source);
  try {
    return await readHeader(reader);
  } catch (thrown) {
    await reader.close();
    throw thrown;
  }
}

async function readHeader(reader: ByteReader): Promise<WavStream> {
  const riff = await reader.take(12);
  const form = text(riff, 0, 4);
  if (riff.length < 12 || !['RIFF', 'RF64'].includes(form) || text(riff, 8, 12) !== 'WAVE') {
    throw unreadable('it does not begin as a WAV file');
  }
  let encoding: Encoding | undefined;
  let longSize = 0;
  for (;;) {
    const head = await reader.take(8);
    if (head.length < 8) throw unreadable(encoding ? 'it holds no audio' : 'it ends within its header');
    const name = text(head, 0, 4);
    const size = viewOf(head).getUint32(4, true);
    if (name === 'data') {
      if (!encoding) throw unreadable('its audio comes before the format of it');
      const dataSize = size === unknownLength ? longSize : size;
      const frameBytes = encoding.bytesPerSample * encoding.channels;
      const frames = dataSize === 0 ? null : Math.floor(dataSize / frameBytes);
      return { ...encoding, frames, blocks: blocks(reader, encoding, frames) };
    }
    if (size > maxChunkBytes) throw unreadable(`its part "${name}" is too long`);
    // Parts are padded to an even length.
    const body = await reader.take(size + (size % 2));
    if (name === 'fmt ') encoding = readFormat(body);
    if (name === 'ds64' && form === 'RF64' && body.length >= 16) longSize = readLongSize(body);
  }
}

/** Bytes of audio in a file that may hold more than 4 GB, behind the size of the whole; 0 when they are not known. */
function readLongSize(body: Uint8Array): number {
  const size = viewOf(body).getBigUint64(8, true);
  return size > Number.MAX_SAFE_INTEGER ? 0 : Number(size);
}

function readFormat(body: Uint8Array): Encoding {
  if (body.length < 16) throw unreadable('it ends within its format');
  const view = viewOf(body);
  const tag = view.getUint16(0, true);
  const channels = view.getUint16(2, true);
  const sampleRate = view.getUint32(4, true);
  const bits = view.getUint16(14, true);
  const realTag = tag === extensibleTag && body.length >= 26 ? view.getUint16(24, true) : tag;
  const read = sampleReader(realTag, bits);
  if (!read) throw unreadable(`it has the encoding ${realTag} with ${bits} bits`);
  if (channels < 1 || channels > 32) throw unreadable(`it has ${channels} channels`);
  if (sampleRate < 1_000 || sampleRate > 768_000) throw unreadable(`its sample rate is ${sampleRate}`);
  return { sampleRate, channels, frames: null, bytesPerSample: bits / 8, read };
}

function sampleReader(tag: number, bits: number): ReadSample | null {
  if (tag === aLawTag && bits === 8) return (view, at) => aLaw(view.getUint8(at));
  if (tag === muLawTag && bits === 8) return (view, at) => muLaw(view.getUint8(at));
  if (tag === floatTag && bits === 32) return (view, at) => view.getFloat32(at, true);
  if (tag === floatTag && bits === 64) return (view, at) => view.getFloat64(at, true);
  if (tag !== pcmTag) return null;
  if (bits === 8) return (view, at) => (view.getUint8(at) - 128) / 128;
  if (bits === 16) return (view, at) => view.getInt16(at, true) / 32_768;
  if (bits === 24)
    return (view, at) => (view.getUint16(at, true) + view.getInt8(at + 2) * 65_536) / 8_388_608;
  if (bits === 32) return (view, at) => view.getInt32(at, true) / 2_147_483_648;
  return null;
}

/** ITU-T G.711, as telephone systems record. */
function muLaw(byte: number): number {
  const value = ~byte & 0xff;
  const magnitude = (((value & 0x0f) << 3) + 0x84) << ((value & 0x70) >> 4);
  return (value & 0x80 ? 0x84 - magnitude : magnitude - 0x84) / 32_768;
}

function aLaw(byte: number): number {
  const value = byte ^ 0x55;
  const exponent = (value & 0x70) >> 4;
  const mantissa = ((value & 0x0f) << 4) + 8;
  const magnitude = exponent === 0 ? mantissa : (mantissa + 0x100) << (exponent - 1);
  return (value & 0x80 ? magnitude : -magnitude) / 32_768;
}

/** Lets go of the file when nobody reads on. */
async function* blocks(
  reader: ByteReader,
  encoding: Encoding,
  frames: number | null,
): AsyncGenerator<Float32Array[]> {
  try {
    yield* samples(reader, encoding, frames);
  } finally {
    await reader.close();
  }
}

/** A file that ends early gives what it has. */
async function* samples(
  reader: ByteReader,
  { channels, bytesPerSample, read }: Encoding,
  frames: number | null,
): AsyncGenerator<Float32Array[]> {
  const frameBytes = channels * bytesPerSample;
  for (let left = frames ?? Number.POSITIVE_INFINITY; left > 0; ) {
    const bytes = await reader.take(Math.min(left, blockFrames) * frameBytes);
    const count = Math.floor(bytes.length / frameBytes);
    if (count === 0) return;
    left -= count;
    const view = viewOf(bytes);
    yield Array.from({ length: channels }, (_, channel) => {
      const channelSamples = new Float32Array(count);
      for (let i = 0; i < count; i++)
        channelSamples[i] = read(view, i * frameBytes + channel * bytesPerSample);
      return channelSamples;
    });
  }
}

/** Bytes of a stream in portions of any size. */
class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }

  /** The next `length` bytes; fewer at the end. */
  async take(length: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for (let missing = length; missing > 0; ) {
      if (this.#rest.length === 0) {
        const next = await this.#source.next();
        if (next.done) break;
        this.#rest = next.value;
      }
      const part = this.#rest.subarray(0, missing);
      this.#rest = this.#rest.subarray(part.length);
      missing -= part.length;
      parts.push(part);
    }
    const [only] = parts;
    return parts.length === 1 && only ? only : Buffer.concat(parts);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function text(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.subarray(from, to)).toString('latin1');
}

function unreadable(why: string): DialogLensError {
  return new DialogLensError('audio_unreadable', `This WAV file cannot be read: ${why}.`, {
    remedy: 'Convert it, for instance with `ffmpeg -i in.wav -c:a pcm_s16le out.wav`.',
  });
}
