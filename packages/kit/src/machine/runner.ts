import type { Clock, Instant } from '../clock.ts';
import type { Database } from '../sqlite.ts';
import type { Effect, EffectHandlers, Machine, Owner } from './machine.ts';

/** Something durable that just happened: for tracing, and for tests that kill the server at each such point. */
export interface RunnerPoint {
  readonly what: 'commit' | 'effect' | 'result';
  readonly machine: string;
  readonly key: string;
  readonly detail: string;
}

export interface RunnerOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly onPoint?: (point: RunnerPoint) => void;
  readonly onError?: (error: unknown, what: string) => void;
}

/** Runs every machine of one database: due machines step one at a time, each step is one transaction. */
export interface MachineRunner {
  register<State, Signal, E extends Effect>(machine: Machine<State, Signal, E>, handlers: EffectHandlers<E>): void;
  /** Inserts a machine inside the caller's transaction; `project` runs at once; it is stepped after the commit. */
  create(kind: string, owner: Owner, key: string, state: unknown): void;
  /** Adds a signal inside the caller's transaction. @returns false when no live machine has this key */
  signal(kind: string, owner: Owner, key: string, signal: unknown): boolean;
  /** Takes up pending effects and due machines of an earlier process, then runs until `stop`. */
  start(): void;
  /** Stops stepping, aborts effects' contexts and waits for their handlers to return. Loses nothing. */
  stop(): Promise<void>;
  /** Resolves when nothing is due at `now` and no machine waits to be stepped (effects may still be in flight). */
  quiet(): Promise<void>;
  /** Resolves when, also, no effect is in flight. */
  idle(): Promise<void>;
  /** The next instant at which a machine is due, or undefined. */
  nextWake(): Instant | undefined;
}
