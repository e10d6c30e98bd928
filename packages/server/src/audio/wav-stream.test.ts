import { describe, expect, it } from 'vitest';
import { writeWav } from './wav.ts';
import { openWav } from './wav-stream.ts';

/** Bytes in pieces that fit nothing. */
async function* pieces(bytes: Uint8Array, size = 7): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

interface Made {
  tag: number;
  bits: number;
  channels?: number;
  rate?: number;
  data: Uint8Array;
  extra?: Uint8Array;
  dataSize?: number;
  /** Size of the audio as files of more than 4 GB say it. */
  longSize?: bigint;
  behind?: Uint8Array;
}

function wavOf({
  tag,
  bits,
  channels = 1,
  rate = 8_000,
  data,
  extra,
  dataSize,
  longSize,
  behind,
}: Made): Buffer {
  const format = Buffer.alloc(16);
  format.writeUInt16LE(tag, 0);
  format.writeUInt16LE(channels, 2);
  format.writeUInt32LE(rate, 4);
  format.writeUInt16LE(bits, 14);
  const part = (name: string, body: Uint8Array, size = body.length) => {
    const head = Buffer.alloc(8);
    head.write(name);
    head.writeUInt32LE(size, 4);
    return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
  };
  const long = Buffer.alloc(28);
  long.writeBigUInt64LE(longSize ?? 0n, 8);
  const parts = [
    ...(longSize === undefined ? [] : [part('ds64', long)]),
    part('LIST', Buffer.from('odd')),
    part('fmt ', Buffer.concat([format, extra ?? Buffer.of()])),
  ];
  const form = longSize === undefined ? 'RIFF' : 'RF64';
  const audio = part('data', data, dataSize);
  return Buffer.concat([Buffer.from(`${form}....WAVE`), ...parts, audio, behind ?? Buffer.of()]);
}

async function read(bytes: Uint8Array): Promise<{ frames: number | null; channels: number[][] }> {
  const { frames, blocks, channels } = await openWav(pieces(bytes));
  const all: number[][] = Array.from({ length: channels }, () => []);
  for await (const block of blocks) {
    for (const [i, samples] of block.entries()) all[i]?.push(...samples);
  }
  return { frames, channels: all };
}

const bytesOf = (make: (view: DataView) => void, length: number) => {
  const bytes = new Uint8Array(length);
  make(new DataView(bytes.buffer));
  return bytes;
};

describe('A WAV file', () => {
  it('is read channel by channel, over parts nobody asked for', async () => {
    const pcm = Int16Array.of(16_384, -16_384, 0, 8_192);
    const bytes = writeWav({ sampleRate: 44_100, channels: 2, pcm });
    expect(await read(bytes)).toEqual({
      frames: 2,
      channels: [
        [0.5, 0],
        [-0.5, 0.25],
      ],
    });
  });

  it.each<[name: string, made: Made, expected: number[]]>([
    ['8 bits', { tag: 1, bits: 8, data: Uint8Array.of(0, 128, 192) }, [-1, 0, 0.5]],
    ['24 bits', { tag: 1, bits: 24, data: Uint8Array.of(0, 0, 0x40, 0, 0, 0xc0) }, [0.5, -0.5]],
    ['32 bits', { tag: 1, bits: 32, data: bytesOf((view) => view.setInt32(0, 2 ** 30, true), 4) }, [0.5]],
    [
      'floating point',
      { tag: 3, bits: 32, data: bytesOf((view) => view.setFloat32(0, -0.25, true), 4) },
      [-0.25],
    ],
    [
      'floating point of 64 bits',
      { tag: 3, bits: 64, data: bytesOf((view) => view.setFloat64(0, 0.75, true), 8) },
      [0.75],
    ],
    // The loudest and the quietest of G.711, by its tables.
    [
      'µ-law',
      { tag: 7, bits: 8, data: Uint8Array.of(0x00, 0x80, 0xff) },
      [-32_124, 32_124, 0].map((v) => v / 32_768),
    ],
    [
      'A-law',
      { tag: 6, bits: 8, data: Uint8Array.of(0x2a, 0xaa, 0xd5) },
      [-32_256, 32_256, 8].map((v) => v / 32_768),
    ],
    [
      'a format that names itself in an extension',
      {
        tag: 0xfffe,
        bits: 16,
        extra: Uint8Array.of(22, 0, 16, 0, 0, 0, 0, 0, 1, 0, 0, 0),
        data: Uint8Array.of(0, 64),
      },
      [0.5],
    ],
  ])('may have %s', async (_, made, expected) => {
    expect((await read(wavOf(made))).channels).toEqual([expected]);
  });

  it('may have been written before its length was known', async () => {
    const made = { tag: 1, bits: 16, data: Uint8Array.of(0, 64, 0, 32) };
    const endless = await read(wavOf({ ...made, dataSize: 0xffff_ffff }));
    expect(endless).toEqual({ frames: null, channels: [[0.5, 0.25]] });
    const unset = await read(wavOf({ ...made, dataSize: 0 }));
    expect(unset).toEqual(endless);
    const cut = await read(wavOf({ ...made, dataSize: 1_000 }));
    expect(cut.channels).toEqual([[0.5, 0.25]]);
  });

  it('may be of the kind that can hold more than 4 GB, with more behind its audio', async () => {
    const data = Uint8Array.of(0, 64, 0, 32);
    const behind = Buffer.from('LIST....of something');
    const made = { tag: 1, bits: 16, data, dataSize: 0xffff_ffff, behind };
    expect(await read(wavOf({ ...made, longSize: 4n }))).toEqual({ frames: 2, channels: [[0.5, 0.25]] });
    expect((await read(wavOf({ ...made, longSize: 0n }))).frames).toBeNull();
  });

  it.each<[why: string, bytes: Uint8Array]>([
    ['it does not begin as a WAV file', Buffer.from('OggS and more')],
    ['it does not begin as a WAV file', Buffer.of()],
    ['it ends within its header', Buffer.from('RIFF....WAVE')],
    ['it holds no audio', wavOf({ tag: 1, bits: 16, data: Buffer.of() }).subarray(0, 48)],
    ['it has the encoding 85 with 16 bits', wavOf({ tag: 85, bits: 16, data: Buffer.of(1, 2) })],
    ['it has 0 channels', wavOf({ tag: 1, bits: 16, channels: 0, data: Buffer.of(1, 2) })],
    ['its sample rate is 0', wavOf({ tag: 1, bits: 16, rate: 0, data: Buffer.of(1, 2) })],
    ['its audio comes before the format of it', Buffer.from('RIFF....WAVEdata....')],
  ])('is refused: %s', async (why, bytes) => {
    await expect(openWav(pieces(bytes))).rejects.toMatchObject({
      code: 'audio_unreadable',
      message: `This WAV file cannot be read: ${why}.`,
    });
  });
});
