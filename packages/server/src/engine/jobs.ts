import { connect, type Socket } from 'node:net';
import { systemClock } from '@slipway/kit/clock';
import { pause } from '@slipway/kit/stopwatch';
import type { JobExit, JobFolder } from './engine.ts';
import type { JobFiles, SupervisorSpec } from './job-files.ts';
import { killStragglers } from './stragglers.ts';

const LOOK_AGAIN_MS = 50;
const LOST = 'the process that supervised the job is gone without a result: it was killed, or the machine restarted';
const DELETED = "the job's folder was deleted";

/** What jobs need of the engine around them. */
export interface JobsOptions {
  readonly files: JobFiles;
  readonly jobSocket: (id: string) => string;
  /** Forks a supervisor for the job folder. @returns its word, see `Zygote.startJob` */
  readonly fork: (root: string) => Promise<string>;
}

function connectTo(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('error', () => resolve(undefined));
    socket.once('connect', () => resolve(socket));
  });
}

/**
 * Jobs and their supervisors, which outlive this process: whether one lives is asked on its socket, how it ended is read
 * from its exit file, and no answer here depends on what this process remembers.
 */
export class Jobs {
  readonly #options: JobsOptions;
  readonly #files: JobFiles;
  readonly #starting = new Map<string, Promise<void>>();
  readonly #watched = new Map<string, Promise<JobExit>>();
  readonly #live = new Map<string, Socket | undefined>();
  readonly #closing = new AbortController();

  constructor(options: JobsOptions) {
    this.#options = options;
    this.#files = options.files;
  }

  folder(id: string): Promise<JobFolder> {
    return this.#files.make(id);
  }

  get live(): readonly string[] {
    return [...this.#live.keys()];
  }

  /** Starts the job once, however often it is asked and whoever was killed between. */
  start(spec: SupervisorSpec): Promise<void> {
    const { id } = spec;
    const starting = this.#starting.get(id) ?? this.#start(spec).finally(() => this.#starting.delete(id));
    this.#starting.set(id, starting);
    return starting;
  }

  async #start(spec: SupervisorSpec): Promise<void> {
    const { id } = spec;
    if ((await this.#files.readExit(id)) !== undefined) return;
    await this.#files.make(id);
    if ((await this.#files.readSpec(id)) === undefined) await this.#files.writeSpec(spec);
    const word = await this.#options.fork(spec.root);
    if (word.startsWith('failed')) throw new Error(`job ${id} was not started: ${word.slice('failed '.length)}`);
    if (word === 'ended') return;
    this.#live.set(id, undefined);
    this.#watch(id).catch(() => undefined); // So that `live` forgets it when it ends.
  }

  /** @throws the signal's reason when aborted */
  async wait(id: string, signal: AbortSignal): Promise<JobExit> {
    signal.throwIfAborted();
    const watch = this.#watch(id);
    return new Promise((resolve, reject) => {
      const abort = (): void => reject(signal.reason as Error);
      signal.addEventListener('abort', abort, { once: true });
      watch.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    });
  }

  /** Asks the supervisor to end the job. Resolves when it has been asked, at once for a job that has ended. */
  async stop(id: string, graceMs: number): Promise<void> {
    await this.#starting.get(id)?.catch(() => undefined);
    const socket = await connectTo(this.#options.jobSocket(id));
    if (socket === undefined) return; // It has ended, or never began; then its caller does not start it any more.
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve()).once('error', () => resolve());
      socket.resume();
      socket.end(`${JSON.stringify({ stop: Math.max(0, Math.round(graceMs)) })}\n`);
    });
  }

  async clear(id: string): Promise<void> {
    if (this.#live.has(id)) {
      await this.stop(id, 0);
      await this.#watch(id);
    }
    await this.#files.clear(id);
  }

  /** Forgets all jobs, which go on. */
  close(): void {
    this.#closing.abort(new Error('the engine is closed'));
    for (const socket of this.#live.values()) socket?.destroy();
  }

  #watch(id: string): Promise<JobExit> {
    const watched = this.#watched.get(id) ?? this.#untilEnded(id).finally(() => this.#forget(id));
    this.#watched.set(id, watched);
    return watched;
  }

  #forget(id: string): void {
    this.#watched.delete(id);
    this.#live.delete(id);
  }

  async #untilEnded(id: string): Promise<JobExit> {
    for (;;) {
      this.#closing.signal.throwIfAborted();
      const exit = await this.#files.readExit(id);
      if (exit !== undefined) return exit;
      if (!(await this.#files.hasFolder(id)))
        return { reason: 'lost', endedAt: systemClock().now(), explanation: DELETED };
      if (!(await this.#files.wasStarted(id))) {
        await pause(LOOK_AGAIN_MS, this.#closing.signal); // Its start is under way, or is about to be repeated.
        continue;
      }
      if (await this.#holdLine(id)) continue;
      const late = await this.#files.readExit(id);
      if (late !== undefined) return late;
      return await this.#lost(id);
    }
  }

  /** Stays connected to the supervisor until it ends. @returns false when there is none */
  async #holdLine(id: string): Promise<boolean> {
    const socket = await connectTo(this.#options.jobSocket(id));
    if (socket === undefined) return false;
    this.#live.set(id, socket);
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve()).on('error', () => undefined);
      socket.resume();
    });
    return true;
  }

  async #lost(id: string): Promise<JobExit> {
    const note = await this.#files.readProcess(id);
    if (note !== undefined) await killStragglers(note);
    return this.#files.writeExit(id, { reason: 'lost', endedAt: systemClock().now(), explanation: LOST });
  }
}
