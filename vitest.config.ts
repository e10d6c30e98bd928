import { defineConfig } from 'vitest/config';

/** Three layers: unit tests beside the source, integration tests with a real store, end-to-end tests with a real livekit-server. */
export default defineConfig({
  resolve: { conditions: ['dialoglens-source'] },
  ssr: { resolve: { conditions: ['dialoglens-source'] } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'tests/**/*.test.ts'],
    // Fails a file whose tests leave agents, timers, sockets or the like behind.
    setupFiles: ['packages/server/src/testing/leaks/setup.ts'],
    // LiveKit's native client prints debug lines otherwise.
    env: { NODE_ENV: 'production' },
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
  },
});
