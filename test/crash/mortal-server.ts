import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { pause } from '@slipway/kit/stopwatch';

/** What clients say when the server dies under them. */
const AWAY =
  /ECONNREFUSED|ECONNRESET|EPIPE|socket hang up|other side closed|aborted|Service Unavailable|InternalFailure|TimeoutError/;

const VICTIM = fileURLToPath(new URL('victim.mjs', import.meta.url));

export interface MortalServerOptions {
  readonly dataFolder: string;
  readonly cacheFolder: string;
  /** Kills itself once at each durable point, remembered in this file. Absent: only when `kill` is called. */
  readonly pointsFile?: string;
  /** Called after each restart, when the new process answers. */
  readonly onRestart?: (url: string) => Promise<void>;
}

/** A server in a process of its own that is started again, on the same port, whenever it is killed. */
export interface MortalServer {
  readonly url: string;
  deaths(): number;
  kill(): void;
  /** Ends it in good order. */
  stop(): Promise<void>;
  /**
   * Runs `work` again while it fails only because the server was away, as a CI job that is retried would. Anything else
   * is a failure, and so is a server that does not come up again.
   */
  outlive<T>(work: () => Promise<T>): Promise<T>;
}

export async function startMortalServer(options: MortalServerOptions): Promise<MortalServer> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let deaths = 0;
  let stopping = false;
  let failure: string | undefined;
  let child: ChildProcess;
  let errors = '';
  const start = (): void => {
    const points = options.pointsFile === undefined ? [] : [options.pointsFile];
    child = spawn(process.execPath, [VICTIM, options.dataFolder, String(port), options.cacheFolder, ...points], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-20_000)));
    child.stdout?.once('data', () => void options.onRestart?.(url));
    child.once('exit', (code, signal) => {
      if (stopping) return;
      if (signal !== 'SIGKILL') {
        failure = `the server ended with ${code ?? signal}: ${errors}`;
        return;
      }
      deaths += 1;
      start();
    });
  };
  start();
  return {
    url,
    deaths: () => deaths,
    kill: () => void child.kill('SIGKILL'),
    async outlive(work) {
      for (;;) {
        try {
          const result = await work();
          if (failure !== undefined) throw new Error(failure);
          return result;
        } catch (error) {
          if (failure !== undefined) throw new Error(failure, { cause: error });
          const known =
            error instanceof Error ? `${error.name} ${error.message} ${'code' in error ? String(error.code) : ''}` : '';
          if (!AWAY.test(known)) throw error;
          await pause(50);
        }
      }
    },
    async stop() {
      stopping = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('There is no free port.');
  return address.port;
}
