import type { Logger } from '@slipway/kit/log';
import { linkSignals } from '@slipway/kit/signals';
import { pause } from '@slipway/kit/stopwatch';
import type { Worker } from '../engine/engine.ts';

export interface WorkerSlotOptions {
  readonly start: (signal: AbortSignal) => Promise<Worker>;
  /** Called before a new worker takes requests: a multi-model cache forgets what the dead one had loaded. */
  readonly onStarted: (worker: Worker) => void;
  readonly log: Logger;
}

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 30_000;
/** How many starts in a row may fail before requests are told instead of held. */
const TOLD_AFTER = 3;

/**
 * The place of one inference worker. When its process dies, another is started, at growing intervals while that fails;
 * requests meanwhile wait for it.
 */
export class WorkerSlot {
  readonly #options: WorkerSlotOptions;
  readonly #closing = new AbortController();
  #worker: Promise<Worker> | undefined;
  #failure: Error | undefined;

  constructor(options: WorkerSlotOptions) {
    this.#options = options;
  }

  /** Starts the first worker. @throws what its start throws; the slot is closed then */
  async open(signal: AbortSignal): Promise<void> {
    const either = linkSignals(signal, this.#closing.signal);
    this.#worker = this.#startOnce(either.signal);
    try {
      await this.#worker;
    } catch (error) {
      this.#closing.abort(error);
      throw error;
    } finally {
      either.unlink();
    }
  }

  /** @throws the last error when workers keep failing to start, or the slot is closed */
  async worker(): Promise<Worker> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#worker === undefined || this.#closing.signal.aborted) throw new Error('the worker has been closed');
    return this.#worker;
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the worker has been closed'));
    const worker = await this.#worker?.catch(() => undefined);
    await worker?.close();
  }

  async #startOnce(signal: AbortSignal): Promise<Worker> {
    const worker = await this.#options.start(signal);
    if (this.#closing.signal.aborted) {
      await worker.close();
      throw this.#closing.signal.reason;
    }
    this.#options.onStarted(worker);
    worker.onExit((why) => {
      if (this.#closing.signal.aborted) return;
      this.#options.log.warn('an inference worker died and is started again', { why });
      this.#worker = this.#startAgain();
      this.#worker.catch(() => undefined);
    });
    return worker;
  }

  async #startAgain(): Promise<Worker> {
    let delayMs = FIRST_RETRY_MS;
    for (let failures = 0; ; failures += 1) {
      await pause(delayMs, this.#closing.signal);
      delayMs = Math.min(delayMs * 3, LONGEST_RETRY_MS);
      try {
        const worker = await this.#startOnce(this.#closing.signal);
        this.#failure = undefined;
        return worker;
      } catch (error) {
        this.#closing.signal.throwIfAborted();
        this.#options.log.warn('an inference worker could not be started again', { error });
        if (failures + 1 >= TOLD_AFTER) this.#failure = error instanceof Error ? error : new Error(String(error));
      }
    }
  }
}
