import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const BIN = fileURLToPath(new URL('../../packages/cli/bin/slipway.js', import.meta.url));

/** Whoever runs these tests by npx still calls `slipway` itself. */
const NOT_BY_NPX = { npm_command: '', npm_lifecycle_event: '' };

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `slipway` as a user does, in a process of its own. */
export async function slipway(
  args: readonly string[],
  options: { cwd: string; input?: string; env?: Record<string, string> },
): Promise<Ran> {
  return await new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [BIN, ...args],
      { cwd: options.cwd, env: { ...process.env, ...NOT_BY_NPX, ...options.env }, maxBuffer: 1 << 26 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 128;
        resolve({ exitCode: code, stdout, stderr });
      },
    );
    child.stdin?.end(options.input ?? '');
  });
}

export interface Up {
  readonly url: string;
  readonly child: ChildProcess;
  /** Everything it printed so far. */
  output(): string;
  /** Sends Ctrl-C and waits for its end. */
  stop(): Promise<number | null>;
}

/** Starts `slipway up` on any free port and waits until it says where it listens. */
export async function slipwayUp(cwd: string, args: readonly string[] = []): Promise<Up> {
  const child = spawn(process.execPath, [BIN, 'up', '--port', '0', ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const url = await new Promise<string>((resolve, reject) => {
    const read = (text: string): void => {
      output += text;
      const match = /on (http:\/\/[\d.:]+)/.exec(output);
      if (match?.[1] !== undefined) resolve(match[1]);
    };
    child.stdout.setEncoding('utf8').on('data', read);
    child.stderr.setEncoding('utf8').on('data', read);
    void ended.then((code) => reject(new Error(`slipway up ended with ${code}: ${output}`)));
  });
  return {
    url,
    child,
    output: () => output,
    async stop() {
      child.kill('SIGINT');
      return await ended;
    },
  };
}
