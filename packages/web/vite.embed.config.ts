import { defineConfig } from 'vite';
import { compressedCopies } from './compressed-copies.ts';
import { browsers, sources } from './targets.ts';

/** `embed.js`: one file without others that it would load, for pages of other servers. After the application is built. */
export default defineConfig({
  plugins: [compressedCopies()],
  resolve: sources,
  publicDir: false,
  build: {
    outDir: 'dist/app',
    emptyOutDir: false,
    target: browsers,
    lib: { entry: 'src/embed/main.ts', formats: ['es'], fileName: () => 'embed.js' },
    minify: true,
    reportCompressedSize: false,
  },
});
