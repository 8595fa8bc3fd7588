import { after, deadline, pause } from '@slipway/kit/stopwatch';
import { PeerGone, PeerTimeout, type Connection } from './connection.ts';
import type { Worker, WorkerRequest, WorkerResponse } from './engine.ts';

/** The worker's process has died, so the request may or may not have been carried out. */
export class WorkerGone extends Error {
  override readonly name = 'WorkerGone';
}

/** The worker did not answer in time. */
export class WorkerTimeout extends Error {
  override readonly name = 'WorkerTimeout';
}

/** The worker runs but will never serve: its model cannot be loaded. The message is the container's. */
export class WorkerUnhealthy extends Error {
  override readonly name = 'WorkerUnhealthy';
}

/** A worker that was asked to leave and has not. */
const CLOSE_GRACE_MS = 2_000;
/** A worker that has answered before may be slow for once; this long past a deadline without any answer it is stuck. */
const STUCK_MS = 30_000;
const UNLOAD_MS = 30_000;
const PING_AGAIN_MS = 20;

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

export class LocalWorker implements Worker {
  readonly id: string;
  readonly pid: number;
  readonly #connection: Connection;
  readonly #listeners: ((why: string) => void)[] = [];
  #hasAnswered = false;
  #answers = 0;
  #goneBecause: string | undefined;
  #hasEnded = false;
  readonly #reaped = withResolvers();

  constructor(id: string, pid: number, connection: Connection) {
    this.id = id;
    this.pid = pid;
    this.#connection = connection;
    connection.listen(
      () => undefined,
      (why) => this.end(why),
    );
  }

  /** Waits until the worker says that it is healthy. @throws WorkerGone, WorkerTimeout, WorkerUnhealthy */
  async untilHealthy(startupMs: number, signal: AbortSignal): Promise<void> {
    const limit = deadline(startupMs);
    try {
      for (;;) {
        const left = limit.leftMs();
        if (left === 0) throw new WorkerTimeout(`worker ${this.id} was not healthy within ${startupMs} ms`);
        const { header } = await this.#ask({ do: 'ping' }, undefined, left);
        if (header['status'] === 200) return;
        const why = header['message'];
        if (typeof why === 'string' && why !== '') throw new WorkerUnhealthy(`worker ${this.id}: ${why}`);
        await pause(PING_AGAIN_MS, signal);
      }
    } finally {
      limit.cancel();
    }
  }

  async load(model: string, folder: string, deadlineMs: number): Promise<{ status: number; message: string }> {
    const { header } = await this.#ask({ do: 'load', model, folder }, undefined, deadlineMs);
    return { status: Number(header['status']), message: String(header['message']) };
  }

  async unload(model: string): Promise<{ status: number; message: string }> {
    const { header } = await this.#ask({ do: 'unload', model }, undefined, UNLOAD_MS);
    return { status: Number(header['status']), message: String(header['message']) };
  }

  async invoke(request: WorkerRequest, deadlineMs: number): Promise<WorkerResponse> {
    const { body, model, contentType, accept, headers = {} } = request;
    const header = { do: 'invoke', contentType, accept, headers, ...(model === undefined ? {} : { model }) };
    try {
      const answer = await this.#ask(header, body, deadlineMs);
      this.#hasAnswered = true;
      const status = Number(answer.header['status']);
      return { status, contentType: String(answer.header['contentType']), body: answer.body };
    } catch (error) {
      if (error instanceof WorkerTimeout) this.#watchStuck();
      throw error;
    }
  }

  onExit(listener: (why: string) => void): void {
    if (this.#goneBecause === undefined) this.#listeners.push(listener);
    else listener(this.#goneBecause);
  }

  /** Resolves when the process has ended. */
  async close(): Promise<void> {
    this.end('it was closed'); // The worker reads the end of its stream and leaves.
    const cancel = after(CLOSE_GRACE_MS, () => this.kill(), { keepAlive: true });
    await this.#reaped.promise;
    cancel();
  }

  kill(): void {
    if (this.#hasEnded) return; // From then on the pid may be another's.
    try {
      process.kill(this.pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }

  /** Called by the engine when the process has been reaped. */
  reaped(code: number): void {
    this.#hasEnded = true;
    this.end(code < 0 ? `it was killed by signal ${-code}` : `it ended with code ${code}`);
    this.#reaped.resolve();
  }

  end(why: string): void {
    if (this.#goneBecause !== undefined) return;
    this.#goneBecause = why;
    this.#connection.close();
    for (const listener of this.#listeners.splice(0)) listener(why);
  }

  /** A first prediction that hangs will hang for ever (OpenMP after a fork); a later one gets more time. */
  #watchStuck(): void {
    if (!this.#hasAnswered) return this.kill();
    const before = this.#answers;
    after(STUCK_MS, () => {
      if (this.#answers === before) this.kill();
    });
  }

  async #ask(header: Record<string, unknown>, body: Uint8Array | undefined, deadlineMs: number) {
    try {
      const answer = await this.#connection.request(header, body, deadlineMs);
      this.#answers += 1;
      return answer;
    } catch (error) {
      if (error instanceof PeerGone) throw new WorkerGone(`worker ${this.id} has gone: ${error.message}`);
      if (error instanceof PeerTimeout) throw new WorkerTimeout(`worker ${this.id}: ${error.message}`);
      throw error;
    }
  }
}
