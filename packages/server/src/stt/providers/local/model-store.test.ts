import { createHash } from 'node:crypto';
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { tokenizerPackage, tokensFile } from './model-catalogue.ts';
import { checkModels, ensureModels, requireModels } from './model-store.ts';
import { makeTokenList } from './token-list.ts';

const sharedCache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'dialoglens');

describe('the model store', () => {
  let cacheDir: string;
  beforeAll(async () => {
    await ensureModels({ cacheDir: sharedCache });
  }, 180_000);
  beforeEach(async () => {
    cacheDir = await mkdtemp(join(tmpdir(), 'dialoglens-models-'));
  });
  afterEach(() => rm(cacheDir, { recursive: true, force: true }));

  const withModels = async () =>
    cp(join(sharedCache, 'models'), join(cacheDir, 'models'), { recursive: true });
  const states = async (full: boolean) => (await checkModels({ cacheDir, full })).map((file) => file.state);

  it('names the first missing file and what to do', async () => {
    expect(new Set(await states(true))).toEqual(new Set(['missing']));
    await expect(requireModels(cacheDir)).rejects.toMatchObject({
      code: 'model_missing',
      field: expect.stringContaining('encoder_model.onnx'),
      remedy: expect.stringContaining('dialoglens models --repair'),
    });
  });

  it('notices a short file at once and a changed one on a full check', async () => {
    await withModels();
    const { tokens, tiny } = await requireModels(cacheDir);
    const bytes = await readFile(tokens);
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    await writeFile(tokens, bytes);
    expect(await states(false)).not.toContain('damaged');
    expect(await states(true)).toContain('damaged');
    await expect(requireModels(cacheDir, true)).rejects.toMatchObject({
      code: 'model_damaged',
      message: expect.stringContaining(tokens),
      remedy: expect.stringContaining('models --repair'),
    });
    await truncate(tiny.encoder, 1_000);
    await expect(requireModels(cacheDir)).rejects.toMatchObject({
      code: 'model_damaged',
      field: tiny.encoder,
    });
  });

  it('uses good models without asking any registry', async () => {
    await withModels();
    const paths = await ensureModels({ cacheDir, repair: true, registry: 'http://127.0.0.1:1' });
    expect(paths).toEqual(await requireModels(cacheDir));
  });

  it('says that the models could not be fetched, and leaves nothing behind', async () => {
    const registry = await refusingRegistry();
    try {
      await expect(ensureModels({ cacheDir, registry: registry.url })).rejects.toMatchObject({
        code: 'model_download_failed',
      });
      expect(await readdir(join(cacheDir, 'models'))).toEqual([]);
    } finally {
      await registry.stop();
    }
  });

  it('repairs a damaged file, also when two do it at once', async () => {
    await withModels();
    const { tokens } = await requireModels(cacheDir);
    await copyFile(join(dirname(tokens), 'LICENSE.md'), tokens);
    const steps: string[] = [];
    const [first, second] = await Promise.all([
      ensureModels({ cacheDir, repair: true, onProgress: ({ step }) => steps.push(step) }),
      ensureModels({ cacheDir, repair: true }),
    ]);
    expect(first).toEqual(second);
    expect(new Set(await states(true))).toEqual(new Set(['ok']));
    expect(new Set(steps)).toEqual(new Set(['vocabulary']));
    expect((await readdir(join(cacheDir, 'models'))).filter((name) => name.startsWith('.'))).toEqual([]);
  }, 60_000);

  it('keeps the licence beside the files', async () => {
    const { tokens } = await requireModels(sharedCache);
    expect(await readFile(join(dirname(tokens), 'LICENSE.md'), 'utf8')).toContain('MIT');
    expect(await readFile(join(dirname(tokens), 'NOTICE.txt'), 'utf8')).toContain('llama-tokenizer-js');
  });

  it('stops when it is told to', async () => {
    await mkdir(join(cacheDir, 'models'));
    const reason = new Error('stopped');
    await expect(ensureModels({ cacheDir, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('stops also while a registry does not answer', async () => {
    const controller = new AbortController();
    const reason = new Error('stopped');
    const registry = await listen(createServer(() => controller.abort(reason)));
    try {
      await expect(
        ensureModels({ cacheDir, registry: registry.url, signal: controller.signal }),
      ).rejects.toBe(reason);
      expect(await readdir(join(cacheDir, 'models'))).toEqual([]);
    } finally {
      await registry.stop();
    }
  });
});

describe('makeTokenList', () => {
  it('makes the pinned list from the pinned source', async () => {
    const folder = join(sharedCache, 'models', tokenizerPackage.folder);
    const list = makeTokenList(await readFile(join(folder, 'llama-tokenizer.js'), 'utf8'));
    expect(createHash('sha256').update(list).digest('hex')).toBe(tokensFile.sha256);
    const lines = list.trimEnd().split('\n');
    expect(lines.length).toBe(32_768);
    const token = (id: number) => Buffer.from((lines[id] ?? '').split(' ')[0] ?? '', 'base64').toString();
    expect([token(3 + 0x41), token(29_871)]).toEqual(['A', ' ']);
  });

  it('refuses a source without a vocabulary', () => {
    expect(() => makeTokenList('const x = 1;')).toThrow('no vocabulary');
  });
});

function refusingRegistry(): Promise<{ url: string; stop: () => Promise<void> }> {
  return listen(createServer((_request, response) => response.writeHead(404).end('{}')));
}

async function listen(server: Server): Promise<{ url: string; stop: () => Promise<void> }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
