#!/usr/bin/env node
// Committed and not built, because `npx` links a command only if its file exists when the packages are installed.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const built = new URL('../dist/main.js', import.meta.url);
if (existsSync(fileURLToPath(built))) {
  await import(built.href);
} else {
  process.stderr.write(
    'Slipway is installed but not built (install scripts were skipped).\nRun this in the repository, then try again:\n\n  npm run build\n',
  );
  process.exitCode = 1;
}
