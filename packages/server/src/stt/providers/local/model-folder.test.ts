import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DialogLensError } from '../../../errors.ts';
import { inspectModelFolder } from './model-folder.ts';
import { readOnnxMetadata } from './onnx-metadata.ts';

const toneModel = fileURLToPath(new URL('../../../testing/tone-model/', import.meta.url));

/** A protobuf field with bytes. */
function field(number: number, bytes: Uint8Array): Buffer {
  const head: number[] = [number * 8 + 2];
  for (let rest = bytes.length; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) {
      head.push(rest);
      break;
    }
    head.push((rest % 128) + 128);
  }
  return Buffer.concat([Buffer.from(head), bytes]);
}

/** An ONNX file with nothing in it but what the exporter tells. The graph is larger than what is read at once. */
function onnx(metadata: Record<string, string>): Buffer {
  const entries = Object.entries(metadata).map(([key, value]) =>
    field(14, Buffer.concat([field(1, Buffer.from(key)), field(2, Buffer.from(value))])),
  );
  return Buffer.concat([Buffer.from([8, 8]), field(7, Buffer.alloc(10_000)), ...entries]);
}

const tokens = Buffer.from('<blk> 0\n▁HELLO 1\n▁WORLD 2\n');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dialoglens-model-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function fill(files: Record<string, Uint8Array>): Promise<void> {
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
}

function refused(given = folder): DialogLensError {
  try {
    inspectModelFolder(given);
  } catch (thrown) {
    if (thrown instanceof DialogLensError) return thrown;
    throw thrown;
  }
  throw new Error('The folder was taken.');
}

const none = onnx({});
const chunked = onnx({ model_type: 'zipformer2', decode_chunk_len: '32', T: '45' });

describe('A model folder', () => {
  it.each<[kind: string, files: Record<string, Uint8Array>]>([
    ['streaming-transducer', { 'encoder.onnx': chunked, 'decoder.onnx': none, 'joiner.onnx': none }],
    [
      'streaming-transducer',
      {
        'encoder.int8.onnx': onnx({ window_size: '121', chunk_shift: '112' }),
        'decoder.int8.onnx': none,
        'joiner.int8.onnx': none,
      },
    ],
    [
      'transducer',
      { 'encoder.onnx': onnx({ model_type: 'zipformer2' }), 'decoder.onnx': none, 'joiner.onnx': none },
    ],
    ['whisper', { 'tiny-encoder.onnx': onnx({ model_type: 'whisper-tiny' }), 'tiny-decoder.onnx': none }],
    [
      'moonshine',
      {
        'preprocess.onnx': none,
        'encode.int8.onnx': none,
        'uncached_decode.int8.onnx': none,
        'cached_decode.int8.onnx': none,
      },
    ],
    ['moonshine-merged', { 'encoder_model.onnx': none, 'decoder_model_merged.onnx': none }],
    ['moonshine-merged', { 'encoder_model.ort': Buffer.of(1), 'decoder_model_merged.ort': Buffer.of(1) }],
    ['sense-voice', { 'model.int8.onnx': onnx({ model_type: 'sense_voice_ctc' }) }],
    ['paraformer', { 'model.onnx': onnx({ model_type: 'paraformer', lfr_window_size: '7' }) }],
    [
      'streaming-paraformer',
      { 'encoder.onnx': onnx({ model_type: 'paraformer', lfr_window_size: '7' }), 'decoder.onnx': none },
    ],
    ['nemo-ctc', { 'model.onnx': onnx({ model_type: 'EncDecCTCModelBPE' }) }],
    ['zipformer-ctc', { 'model.onnx': onnx({ model_type: 'zipformer2_ctc' }) }],
    [
      'streaming-zipformer-ctc',
      { 'ctc-epoch-30.onnx': onnx({ model_type: 'zipformer2_ctc', decode_chunk_len: '32' }) },
    ],
    ['canary', { 'encoder.onnx': onnx({ model_type: 'EncDecMultiTaskModel' }), 'decoder.onnx': none }],
    ['fire-red', { 'encoder.onnx': onnx({ model_type: 'fire-red-asr' }), 'decoder.onnx': none }],
  ])('is known as %s', async (kind, files) => {
    await fill({ ...files, 'tokens.txt': tokens });
    expect(inspectModelFolder(folder).kind).toBe(kind);
  });

  it('is known with the real library’s files', () => {
    expect(inspectModelFolder(toneModel)).toMatchObject({ kind: 'streaming-nemo-ctc', languages: 'any' });
    expect(readOnnxMetadata(join(toneModel, 'model.onnx'))?.get('vocab_size')).toBe('2');
  });

  it('gives the files with small numbers, and a token list of any name', async () => {
    await fill({
      'tiny.en-encoder.onnx': onnx({ model_type: 'whisper-tiny.en' }),
      'tiny.en-encoder.int8.onnx': onnx({ model_type: 'whisper-tiny.en' }),
      'tiny.en-decoder.int8.onnx': none,
      'tiny.en-decoder.onnx': none,
      'tiny.en-tokens.txt': tokens,
    });
    expect(inspectModelFolder(folder)).toMatchObject({
      files: {
        encoder: join(folder, 'tiny.en-encoder.int8.onnx'),
        decoder: join(folder, 'tiny.en-decoder.int8.onnx'),
      },
      tokens: join(folder, 'tiny.en-tokens.txt'),
      languages: ['en'],
      detectsLanguage: false,
    });
  });

  it('tells the languages that the files name', async () => {
    const told = { model_type: 'whisper-base', is_multilingual: '1', all_language_codes: 'en,de,cy' };
    await fill({ 'encoder.onnx': onnx(told), 'decoder.onnx': none, 'tokens.txt': tokens });
    expect(inspectModelFolder(folder)).toMatchObject({
      languages: ['en', 'de', 'cy'],
      detectsLanguage: true,
    });
  });

  it.each<[problem: string, files: Record<string, Uint8Array>, remedy?: string]>([
    ['there is no tokens.txt', { 'encoder.onnx': chunked, 'decoder.onnx': none, 'joiner.onnx': none }],
    ['lacks an encoder', { 'decoder.onnx': none, 'joiner.onnx': none, 'tokens.txt': tokens }],
    ['it holds no .onnx file', { 'tokens.txt': tokens }],
    [
      'tokens.txt is not a list of tokens',
      { 'model.onnx': none, 'tokens.txt': Buffer.from('{"a": 1}\nb\n') },
    ],
    [
      'encoder.onnx is not an ONNX model but a Git LFS pointer',
      { 'encoder.onnx': Buffer.from('version https://git-lfs.github.com/spec/v1\n'), 'tokens.txt': tokens },
    ],
    ['model.onnx is not an ONNX model, or not all of it', { 'model.onnx': chunked.subarray(0, 9_000) }],
    ['model.tar.bz2 has to be unpacked first', { 'model.tar.bz2': Buffer.of(1) }, '`tar -xf model.tar.bz2`'],
    ['model.zip has to be unpacked first', { 'model.zip': Buffer.of(1) }, '`unzip model.zip`'],
    [
      'it holds a model, and the files do not say what they are',
      { 'model.onnx': none, 'tokens.txt': tokens },
    ],
    [
      'the files say "whale"; name its kind in speech.local.kind',
      { 'model.onnx': onnx({ model_type: 'whale' }), 'tokens.txt': tokens },
    ],
  ])('says that %s', async (problem, files, remedy = 'SenseVoice') => {
    await fill(files);
    const error = refused();
    expect(error).toMatchObject({ code: 'model_folder_invalid', field: 'speech.local.model' });
    expect(error.message).toContain(problem);
    expect(error.remedy).toContain(remedy);
  });

  it('says what is missing for the kind that was named', async () => {
    await fill({ 'encoder.onnx': none, 'decoder.onnx': none, 'tokens.txt': tokens });
    expect(() => inspectModelFolder(folder, 'streaming-transducer')).toThrow('lacks a joiner');
    expect(inspectModelFolder(folder, 'whisper').kind).toBe('whisper');
  });

  it('says everything that is wrong at once', async () => {
    await fill({ 'decoder.onnx': none, 'joiner.onnx': none });
    const { message } = refused();
    expect(message).toContain('there is no tokens.txt');
    expect(message).toContain('lacks an encoder');
  });

  it('says when it is not there, is a file, or holds the model one level down, and what to do', async () => {
    expect(refused(join(folder, 'gone'))).toMatchObject({
      message: expect.stringContaining('it does not exist'),
      remedy: 'Name a folder that is there.',
    });
    await fill({ 'model.onnx': none });
    expect(refused(join(folder, 'model.onnx'))).toMatchObject({
      message: expect.stringContaining('it is a file'),
      remedy: `Name the folder it is in, ${folder}.`,
    });
    const outer = join(folder, 'outer');
    await mkdir(join(outer, 'inner'), { recursive: true });
    await writeFile(join(outer, 'inner', 'model.onnx'), none);
    expect(refused(outer)).toMatchObject({
      message: expect.stringContaining('the model is in its folder inner'),
      remedy: `Name ${join(outer, 'inner')}.`,
    });
  });

  it('says what in it cannot be read, and passes over links that lead nowhere', async () => {
    await symlink(join(folder, 'gone'), join(folder, 'a-link'));
    expect(refused().message).toContain('it holds no .onnx file');
    await symlink(join(folder, 'circle'), join(folder, 'circle'));
    expect(refused()).toMatchObject({
      code: 'model_folder_invalid',
      message: expect.stringContaining('circle in it cannot be read (ELOOP)'),
    });
  });
});
