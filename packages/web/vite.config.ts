import tailwind from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { compressedCopies } from './compressed-copies.ts';
import { browsers, sources } from './targets.ts';

export default defineConfig({
  plugins: [react(), tailwind(), compressedCopies()],
  resolve: sources,
  build: {
    outDir: 'dist/app',
    target: browsers,
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
