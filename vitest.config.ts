import { defineConfig } from 'vitest/config';

// Tests import the packages' sources (the `source` condition); processes that tests spawn run the build.
const resolve = { conditions: ['source', 'node', 'import', 'default'] };
const ssr = { resolve };

export default defineConfig({
  test: {
    // The SDK announces the end of its Node 20 support in every process; the tests run on Node 20 on purpose.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'test/tidy/*.test.ts'],
          // Properties and simulations take seconds on a busy machine; a test that hangs is still told.
          testTimeout: 60_000,
        },
      },
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
