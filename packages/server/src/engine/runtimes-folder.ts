import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Absolute path of the Python that runs inside jobs and workers, wherever its package is installed. */
export function runtimesFolder(): string {
  return join(dirname(createRequire(import.meta.url).resolve('@slipway/runtimes/package.json')), 'python');
}
