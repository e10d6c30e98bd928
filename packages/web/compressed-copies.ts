import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

/** Smaller files gain nothing by being compressed. */
const smallestBytes = 1_024;

/** Puts a Brotli and a gzip copy beside each text file, so that the server compresses nothing at run time. */
export function compressedCopies(): Plugin {
  return {
    name: 'compressed-copies',
    apply: 'build',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        for (const file of Object.values(bundle)) {
          const source = Buffer.from(file.type === 'chunk' ? file.code : file.source);
          if (source.length < smallestBytes || !/\.(js|css|html|svg)$/.test(file.fileName)) continue;
          const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };
          const emit = (ending: string, bytes: Uint8Array) =>
            this.emitFile({ type: 'asset', fileName: `${file.fileName}.${ending}`, source: bytes });
          emit('br', brotliCompressSync(source, brotli));
          emit('gz', gzipSync(source));
        }
      },
    },
  };
}
