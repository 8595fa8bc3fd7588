#!/usr/bin/env node
// Committed and not built, because `npx` links a command only if its file exists when the packages are installed.
import { statSync } from 'node:fs';

/** When a file was written, in milliseconds; 0 when it is not there. */
const writtenAt = (path) => statSync(new URL(path, import.meta.url), { throwIfNoEntry: false })?.mtimeMs ?? 0;

const packages = ['../', '../../server/', '../../delivery/', '../../kit/'];
const builtAt = Math.max(...packages.map((folder) => writtenAt(`${folder}dist/.tsbuildinfo`)));
const bundledAt = writtenAt('../bundle/main.js');

if (bundledAt > 0 && bundledAt >= builtAt) {
  await import('../bundle/main.js');
} else if (writtenAt('../dist/main.js') > 0) {
  await import('../dist/main.js');
} else {
  process.stderr.write(
    'Slipway is installed but not built (install scripts were skipped).\nRun this in the repository, then try again:\n\n  npm run build\n',
  );
  process.exitCode = 1;
}
