import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import tailwind from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** Smaller files gain nothing by being compressed. */
const smallestBytes = 1_024;

/** Puts a Brotli and a gzip copy beside each text file, so that the server compresses nothing at run time. */
function compressed(): Plugin {
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

export default defineConfig({
  plugins: [react(), tailwind(), compressed()],
  // The protocol package is read from its source, so that what is not used is not in the bundle.
  resolve: { conditions: ['dialoglens-source', 'module', 'browser', 'production'] },
  build: {
    outDir: 'dist/app',
    target: ['chrome123', 'firefox121', 'safari17.5'],
    manifest: true,
    // The content security policy allows neither inline scripts nor data URLs for scripts and fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // livekit-client is one large chunk, loaded only by those who join a room.
    chunkSizeWarningLimit: 700,
  },
  server: { proxy: { '/api': 'http://127.0.0.1:3010', '/livez': 'http://127.0.0.1:3010' } },
});
