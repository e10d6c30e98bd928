import { defineConfig } from 'vitest/config';

/** Runs the file that leaks, under the leak check. */
export default defineConfig({
  resolve: { conditions: ['dialoglens-source'] },
  ssr: { resolve: { conditions: ['dialoglens-source'] } },
  test: {
    root: import.meta.dirname,
    include: ['*.fixture.ts'],
    setupFiles: ['../setup.ts'],
    pool: 'forks',
  },
});
