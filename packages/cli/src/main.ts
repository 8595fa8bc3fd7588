import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { Io } from './command.ts';
import { runCommandLine } from './run.ts';

// The only file that reads the process's environment and arguments.

/** The AWS SDK announces the end of its Node 20 support on standard error; that is our affair and not the user's. */
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

const interruption = new AbortController();
let interruptions = 0;
process.on('SIGINT', () => {
  interruptions += 1;
  interruption.abort('SIGINT');
  // A second Ctrl-C is for a user who does not want to wait for an orderly end.
  if (interruptions > 1) process.exit(130);
});
process.on('SIGTERM', () => interruption.abort('SIGTERM'));

// `slipway status | head` closes our output early; that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const env = { ...process.env };
const io: Io = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  colour: process.stderr.isTTY === true && process.stdout.isTTY === true && !env['NO_COLOR'],
  interactive: process.stderr.isTTY === true && env['TERM'] !== 'dumb',
  columns: process.stdout.columns ?? 100,
  env,
  cwd: process.cwd(),
  cacheFolder: env['SLIPWAY_CACHE'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'slipway'),
  user: env['SLIPWAY_USER'] ?? nameOfUser(),
  self: env['npm_command'] === 'exec' || env['npm_lifecycle_event'] === 'npx' ? 'npx slipway' : 'slipway',
  interrupted: interruption.signal,
};

process.exitCode = await runCommandLine(process.argv.slice(2), io);

function nameOfUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a uid that has no name.
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}
