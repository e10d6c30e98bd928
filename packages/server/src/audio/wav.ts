import { DialogLensError } from '../errors.ts';

/** PCM of a WAV file, interleaved when it has several channels. */
export interface WavAudio {
  sampleRate: number;
  channels: number;
  pcm: Int16Array;
}

/** Reads a 16-bit PCM WAV. @throws DialogLensError `invalid_request` saying what the file is instead */
export function readWav(bytes: Uint8Array): WavAudio {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (tag(view, 0) !== 'RIFF' || tag(view, 8) !== 'WAVE')
    throw unreadable('it does not begin with RIFF/WAVE');
  let format: { sampleRate: number; channels: number } | undefined;
  for (let at = 12; at + 8 <= view.byteLength; ) {
    const size = view.getUint32(at + 4, true);
    if (tag(view, at) === 'fmt ') format = readFormat(view, at + 8);
    if (tag(view, at) === 'data' && format) {
      const end = Math.min(at + 8 + size, view.byteLength);
      return { ...format, pcm: readSamples(view, at + 8, end) };
    }
    // Chunks are padded to an even length.
    at += 8 + size + (size % 2);
  }
  throw unreadable('it holds no audio');
}

/** Writes 16-bit PCM as a WAV file. */
export function writeWav({ sampleRate, channels, pcm }: WavAudio): Uint8Array {
  const bytes = new Uint8Array(44 + pcm.length * 2);
  const view = new DataView(bytes.buffer);
  const put = (at: number, text: string) => bytes.set(new TextEncoder().encode(text), at);
  put(0, 'RIFF');
  view.setUint32(4, bytes.length - 8, true);
  put(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * channels * 2, true);
  view.setUint16(32, channels * 2, true);
  view.setUint16(34, 16, true);
  put(36, 'data');
  view.setUint32(40, pcm.length * 2, true);
  for (const [i, sample] of pcm.entries()) view.setInt16(44 + i * 2, sample, true);
  return bytes;
}

function readFormat(view: DataView, at: number): { sampleRate: number; channels: number } {
  if (at + 16 > view.byteLength) throw unreadable('it ends within its format');
  const encoding = view.getUint16(at, true);
  const channels = view.getUint16(at + 2, true);
  const sampleRate = view.getUint32(at + 4, true);
  const bits = view.getUint16(at + 14, true);
  if (encoding !== 1 || bits !== 16) throw unreadable(`it has encoding ${encoding} with ${bits} bits`);
  if (channels === 0) throw unreadable('its number of channels is 0');
  if (sampleRate === 0) throw unreadable('its sample rate is 0');
  return { channels, sampleRate };
}

function readSamples(view: DataView, start: number, end: number): Int16Array {
  const pcm = new Int16Array(Math.floor((end - start) / 2));
  for (let i = 0; i < pcm.length; i++) pcm[i] = view.getInt16(start + i * 2, true);
  return pcm;
}

function tag(view: DataView, at: number): string {
  if (at + 4 > view.byteLength) return '';
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));
}

function unreadable(why: string): DialogLensError {
  return new DialogLensError('invalid_request', `This is not a 16-bit PCM WAV file: ${why}.`, {
    remedy: 'Convert it, for instance with `ffmpeg -i in.ogg -c:a pcm_s16le out.wav`.',
  });
}
