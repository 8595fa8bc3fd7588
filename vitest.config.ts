import { defineConfig } from 'vitest/config';

// Tests import the packages' sources (the `source` condition); processes that tests spawn run the build.
const resolve = { conditions: ['source', 'node', 'import', 'default'] };
const ssr = { resolve };

export default defineConfig({
  test: {
    projects: [
      { resolve, ssr, test: { name: 'unit', include: ['packages/*/src/**/*.test.ts', 'test/tidy/*.test.ts'] } },
      {
        resolve,
        ssr,
        test: {
          name: 'system',
          include: ['test/**/*.test.ts'],
          exclude: ['test/tidy/**'],
          testTimeout: 240_000,
          hookTimeout: 240_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
