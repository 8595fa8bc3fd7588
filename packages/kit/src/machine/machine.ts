import type { Instant } from '../clock.ts';
import type { Database } from '../sqlite.ts';

/** Whom a row, a blob or a machine belongs to. Opaque to the kit. */
export interface Owner {
  readonly account: string;
  readonly region: string;
}

/**
 * What a machine wants done in the world after its step is committed. The runner gives each a durable id; its handler
 * must be idempotent by that id, because it is called again after a crash until its result has been recorded.
 */
export interface Effect {
  readonly kind: string;
  /** True for an effect that may last as long as the server (a watch): `idle()`, so `clock advance`, does not wait for it. */
  readonly background?: boolean;
}

/** How an effect ended; the runner feeds it to the machine as a signal. */
export type EffectResult<E extends Effect = Effect> =
  | { readonly kind: 'effect-done'; readonly effect: E['kind']; readonly id: string; readonly result: unknown }
  | { readonly kind: 'effect-failed'; readonly effect: E['kind']; readonly id: string; readonly message: string };

/** What one step decided. All of it is committed in one transaction. */
export interface Step<State, E extends Effect> {
  readonly state: State;
  readonly effects?: readonly E[];
  /** Step again at this instant even without a signal. Absent: only a signal wakes the machine. */
  readonly wakeAt?: Instant;
  /** A done machine is never stepped again; later signals to it are dropped. */
  readonly done?: boolean;
}

/**
 * A durable state machine: state, signals and effects are rows, `step` is pure, and a timer is only an alarm clock.
 * State and signals must survive `JSON.parse(JSON.stringify(x))`.
 */
export interface Machine<State, Signal, E extends Effect> {
  /** Unique name, for example `training-job`. */
  readonly kind: string;
  step(state: State, signals: readonly (Signal | EffectResult<E>)[], now: Instant): Step<State, E>;
  /** Writes the rows that Describe reads, in the transaction of the step. */
  project?(db: Database, owner: Owner, key: string, state: State, now: Instant): void;
}

/** What an effect's handler is told. */
export interface EffectContext {
  readonly id: string;
  readonly owner: Owner;
  /** The machine's key, for example the job's name. */
  readonly key: string;
  /** 1 on the first call. Above 1 the work may have happened already: ask before doing it again. */
  readonly attempt: number;
  /** Aborted when the server closes; the effect stays pending and is run again at the next start. */
  readonly signal: AbortSignal;
}

/**
 * Does the work, however long it takes (waiting for a process to exit is one effect). The returned value is stored as
 * JSON and given to the machine. A thrown error becomes `effect-failed` with its message, except when `signal` is aborted.
 */
export type EffectHandler<E extends Effect> = (effect: E, context: EffectContext) => Promise<unknown>;

/** One handler for each kind of effect of a machine. */
export type EffectHandlers<E extends Effect> = { readonly [K in E['kind']]: EffectHandler<Extract<E, { kind: K }>> };
