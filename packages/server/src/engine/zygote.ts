import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, deadline } from '@slipway/kit/stopwatch';
import { PeerGone, type Connection } from './connection.ts';
import type { HostEnvironment } from './find-python.ts';
import type { FrameHeader } from './frames.ts';
import type { PythonEnvironment } from './python-env.ts';

/** Variables that the zygote gets: how to find programs and package indexes. Jobs get a few of these, never HOME. */
const PASSED = new Set(
  (
    'PATH HOME LANG LC_ALL TMPDIR SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE PIP_CERT PIP_FIND_LINKS ' +
    'PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_CONFIG_FILE PIP_DEFAULT_TIMEOUT ' +
    'HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy'
  ).split(' '),
);
const STARTUP_MS = 60_000;
/** It may be in the middle of an import. */
const CLOSE_GRACE_MS = 2_000;
const ANSWER_MS = 30_000;

/** The user's variables without anything that could be a secret: a forked job can read what its zygote was given. */
export function zygoteEnvironment(host: HostEnvironment): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const [name, value] of Object.entries(host)) {
    // A URL with an @ carries a password.
    if (PASSED.has(name) && value !== undefined && !value.includes('@')) passed[name] = value;
  }
  return passed;
}

export interface ZygoteOptions {
  readonly python: PythonEnvironment;
  readonly runtimesFolder: string;
  readonly socket: string;
  readonly log: string;
  readonly environment: HostEnvironment;
  /** Resolves with the zygote's connection once it has said hello with this pid. */
  readonly connected: (pid: number, signal: AbortSignal) => Promise<Connection>;
  readonly onGone: (why: string) => void;
}

/** The process that forks supervisors and workers; one per engine, started on first need. */
export class Zygote {
  readonly #child: ChildProcess;
  readonly #connection: Connection;
  readonly #ended = new Map<number, (code: number) => void>();
  #isGone = false;

  /** @throws Error with the end of its log's path when it does not come up */
  static async start(options: ZygoteOptions): Promise<Zygote> {
    const child = startProcess(options);
    const limit = deadline(STARTUP_MS);
    const ended = new Promise<never>((_, reject) => {
      const fail = (why: string): void =>
        reject(new Error(`the Python that jobs are forked from did not start: ${why}; its log is ${options.log}`));
      child.once('error', (error) => fail(error.message));
      child.once('exit', (code, signal) => fail(`it ended with ${signal ?? `code ${code}`}`));
    });
    try {
      const connection = await Promise.race([options.connected(child.pid ?? -1, limit.signal), ended]);
      return new Zygote(child, connection, options.onGone);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    } finally {
      limit.cancel();
      ended.catch(() => undefined);
    }
  }

  constructor(child: ChildProcess, connection: Connection, onGone: (why: string) => void) {
    this.#child = child;
    this.#connection = connection;
    connection.listen(
      (notice) => this.#hear(notice),
      (why) => {
        this.#isGone = true;
        for (const listener of this.#ended.values()) listener(-1);
        this.#ended.clear();
        onGone(why);
      },
    );
  }

  /** Forks a supervisor. @returns `started`, `running` (another one lives), `ended` or `failed <why>` */
  async startJob(root: string): Promise<string> {
    const answer = await this.#connection.request({ do: 'job', root }, undefined, ANSWER_MS);
    return String(answer.header['state']);
  }

  /** Forks a worker. @returns its pid; `onEnd` is called once, when the process has been reaped */
  async startWorker(header: FrameHeader, onEnd: (code: number) => void): Promise<number> {
    if (this.#isGone) throw new PeerGone('the zygote has gone');
    const answer = await this.#connection.request({ ...header, do: 'worker' }, undefined, ANSWER_MS);
    const pid = Number(answer.header['pid']);
    this.#ended.set(pid, onEnd);
    return pid;
  }

  /** Ends it and with it every worker. Supervisors live on. Resolves when its process has ended. */
  async close(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) resolve();
      else this.#child.once('exit', () => resolve());
    });
    this.#connection.close(); // It reads the end of its stream and leaves.
    const cancel = after(CLOSE_GRACE_MS, () => this.#child.kill('SIGKILL'), { keepAlive: true });
    await ended;
    cancel();
  }

  #hear(notice: FrameHeader): void {
    const pid = Number(notice['ended']);
    const listener = this.#ended.get(pid);
    if (listener === undefined) return;
    this.#ended.delete(pid);
    listener(Number(notice['code']));
  }
}

function startProcess(options: ZygoteOptions): ChildProcess {
  mkdirSync(dirname(options.log), { recursive: true, mode: 0o700 });
  const log = openSync(options.log, 'a', 0o600);
  try {
    const script = join(options.runtimesFolder, 'slipway_runtime', 'zygote.py');
    const child = spawn(options.python.python, ['-s', script, options.socket], {
      cwd: '/',
      env: zygoteEnvironment(options.environment),
      stdio: ['ignore', log, log],
      // A group of its own: Ctrl-C in a terminal is the server's business alone.
      detached: true,
    });
    return child;
  } finally {
    closeSync(log);
  }
}
