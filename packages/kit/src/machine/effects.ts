import { after } from '../stopwatch.ts';
import type { Clock } from '../clock.ts';
import type { Database } from '../sqlite.ts';
import type { Effect, EffectContext, EffectResult } from './machine.ts';
import type { RunnerPoint } from './point.ts';
import { ownerOf, toJson, type RegisteredKind } from './step.ts';
import type { EffectRow, MachineRow, MachineStore } from './store.ts';

const MESSAGE_MAX = 4_000;
const RESULT_MAX = 1_000_000;
/** How long to wait before a result is written again that could not be written, for example on a full disk. */
const RETRY_MS = 1_000;

export interface EffectsOptions {
  readonly db: Database;
  readonly store: MachineStore;
  readonly clock: Clock;
  readonly point: (point: RunnerPoint) => void;
  readonly onError: (error: unknown, what: string) => void;
  /** A result was recorded: its machine has a signal. */
  readonly onResult: (machine: number) => void;
  /** An effect is no longer in flight. */
  readonly onSettled: () => void;
}

/** Runs effects after their step's commit and records each result exactly once, with its signal, in one transaction. */
export class Effects {
  readonly #options: EffectsOptions;
  readonly #abort = new AbortController();
  readonly #inFlight = new Map<number, { readonly background: boolean; readonly ended: Promise<void> }>();

  constructor(options: EffectsOptions) {
    this.#options = options;
  }

  /** Effects in flight that somebody may wait for. */
  get waitedFor(): number {
    let count = 0;
    for (const { background } of this.#inFlight.values()) if (!background) count += 1;
    return count;
  }

  run(kind: RegisteredKind, machine: MachineRow, row: EffectRow): void {
    if (this.#inFlight.has(row.id)) throw new Error(`effect ${row.id} is in flight already`);
    const effect = JSON.parse(row.body) as Effect;
    const ended = this.#perform(kind, machine, row, effect).finally(() => {
      this.#inFlight.delete(row.id);
      this.#options.onSettled();
    });
    this.#inFlight.set(row.id, { background: effect.background === true, ended });
    ended.catch((error: unknown) => this.#options.onError(error, `effect ${row.kind} of ${machine.key}`));
  }

  /** Aborts the handlers and waits for them. What has not returned stays pending and is run again at the next start. */
  async stop(): Promise<void> {
    this.#abort.abort(new Error('the server is closing'));
    await Promise.allSettled([...this.#inFlight.values()].map(({ ended }) => ended));
  }

  async #perform(kind: RegisteredKind, machine: MachineRow, row: EffectRow, effect: Effect): Promise<void> {
    const outcome = await this.#outcome(kind, machine, row, effect);
    if (outcome === undefined) return;
    const point = { machine: machine.kind, key: machine.key, detail: row.kind };
    this.#options.point({ what: 'effect', ...point });
    while (!this.#tryRecord(row, outcome)) {
      if (this.#abort.signal.aborted) return;
      await this.#beforeRetry();
    }
    this.#options.point({ what: 'result', ...point });
    this.#options.onResult(machine.id);
  }

  async #outcome(
    kind: RegisteredKind,
    machine: MachineRow,
    row: EffectRow,
    effect: Effect,
  ): Promise<EffectResult | undefined> {
    const { signal } = this.#abort;
    const id = `effect-${row.id}`;
    const context: EffectContext = { id, owner: ownerOf(machine), key: machine.key, attempt: row.attempts, signal };
    try {
      signal.throwIfAborted();
      // A microtask later, so that a handler never runs inside the step of the machine that asked for it.
      await Promise.resolve();
      const result = await kind.handlers[row.kind]!(effect, context);
      if (toJson(result).length > RESULT_MAX) throw new RangeError(`the result of ${row.kind} is too large to store`);
      return { kind: 'effect-done', effect: row.kind, id, result: result ?? null };
    } catch (error) {
      if (signal.aborted) return undefined;
      const message = (error instanceof Error ? error.message : String(error)).slice(0, MESSAGE_MAX);
      this.#options.onError(error, `effect ${row.kind} of ${machine.kind} ${machine.key} failed`);
      return { kind: 'effect-failed', effect: row.kind, id, message };
    }
  }

  #tryRecord(row: EffectRow, outcome: EffectResult): boolean {
    const { db, store, clock } = this.#options;
    try {
      db.transaction(() => {
        const body = toJson(outcome);
        if (!store.endEffect(row.id, outcome.kind === 'effect-done' ? 'done' : 'failed', body)) return;
        if (store.byId(row.machine)?.done_at === null) store.insertSignal(row.machine, body, clock.now());
        else store.deleteEnded(row.machine);
      });
      return true;
    } catch (error) {
      this.#options.onError(error, `the result of effect ${row.kind} could not be written yet`);
      return false;
    }
  }

  async #beforeRetry(): Promise<void> {
    const { signal } = this.#abort;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        cancel();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const cancel = after(RETRY_MS, end);
      signal.addEventListener('abort', end, { once: true });
    });
  }
}
