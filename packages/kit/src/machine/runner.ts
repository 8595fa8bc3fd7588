import type { Clock, Instant } from '../clock.ts';
import { isDiskFull, type Database } from '../sqlite.ts';
import { after } from '../stopwatch.ts';
import { Effects } from './effects.ts';
import type { Effect, EffectHandler, EffectHandlers, Machine, Owner } from './machine.ts';
import type { RunnerPoint } from './point.ts';
import { ownerOf, stepOnce, toJson, type RegisteredKind, type Stepped } from './step.ts';
import { machineStore, type MachineStore, type ParkedMachine } from './store.ts';

export type { RunnerPoint } from './point.ts';

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

/** What operators see beside the interface that services use. */
export interface ObservedRunner extends MachineRunner {
  /** Machines whose step threw. Each is tried again at the next start and at each new signal. */
  parked(): readonly ParkedMachine[];
}

/** Steps done before other work of the process gets its turn. */
const STEPS_PER_TURN = 50;
/** A machine that steps itself so often at one instant, without a signal, does not come to an end. */
const STEPS_AT_ONCE_MAX = 1_000;
const RETRY_MS = 1_000;

/** The runner of one database. Its tables are those of `schema.ts`. */
export function createRunner(options: RunnerOptions): ObservedRunner {
  return new Runner(options);
}

/**
 * What is true stands in rows. `#ready` only saves looking for signals: `start` rebuilds it, a commit adds to it.
 */
class Runner implements ObservedRunner {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #store: MachineStore;
  readonly #effects: Effects;
  readonly #point: (point: RunnerPoint) => void;
  readonly #onError: (error: unknown, what: string) => void;
  readonly #kinds = new Map<string, RegisteredKind>();
  readonly #ready = new Set<number>();
  readonly #atOnce = new Map<number, { now: Instant; steps: number }>();
  #waiters: { readonly met: () => boolean; readonly resolve: () => void }[] = [];
  #phase: 'new' | 'running' | 'stopped' = 'new';
  #scheduled = false;
  #cancelAlarm: () => void = () => undefined;
  #cancelRetry: (() => void) | undefined;

  constructor({ db, clock, onPoint, onError }: RunnerOptions) {
    this.#db = db;
    this.#clock = clock;
    this.#store = machineStore(db);
    this.#point = onPoint ?? (() => undefined);
    this.#onError = onError ?? (() => undefined);
    this.#effects = new Effects({
      db,
      clock,
      store: this.#store,
      point: this.#point,
      onError: this.#onError,
      onResult: (machine) => this.#wake(machine),
      onSettled: () => this.#settle(),
    });
  }

  register<State, Signal, E extends Effect>(machine: Machine<State, Signal, E>, handlers: EffectHandlers<E>): void {
    if (this.#phase !== 'new') throw new Error(`${machine.kind} must be registered before the runner starts`);
    if (this.#kinds.has(machine.kind)) throw new Error(`two machines are called ${machine.kind}`);
    this.#kinds.set(machine.kind, {
      machine: machine as unknown as Machine<unknown, unknown, Effect>,
      handlers: handlers as unknown as Readonly<Record<string, EffectHandler<Effect>>>,
    });
  }

  create(kind: string, owner: Owner, key: string, state: unknown): void {
    const registered = this.#kinds.get(kind);
    if (registered === undefined) throw new Error(`no machine of kind ${kind} is registered`);
    this.#db.transaction(() => {
      const now = this.#clock.now();
      const json = toJson(state);
      const id = this.#store.insertMachine({ ...only(owner), kind, key, state: json, wakeAt: now });
      registered.machine.project?.(this.#db, owner, key, JSON.parse(json), now);
      this.#committed(id, { what: 'commit', machine: kind, key, detail: 'create' });
    });
  }

  signal(kind: string, owner: Owner, key: string, signal: unknown): boolean {
    return this.#db.transaction(() => {
      const machine = this.#store.live({ ...only(owner), kind, key });
      if (machine === undefined) return false;
      this.#store.insertSignal(machine.id, toJson(signal), this.#clock.now());
      if (machine.parked !== null) this.#store.unpark(machine.id);
      this.#committed(machine.id, { what: 'commit', machine: kind, key, detail: 'signal' });
      return true;
    });
  }

  #committed(id: number, point: RunnerPoint): void {
    this.#db.afterCommit(() => {
      this.#point(point);
      this.#wake(id);
    });
  }

  start(): void {
    if (this.#phase !== 'new') throw new Error('a runner starts once');
    this.#phase = 'running';
    const pending = this.#db.transaction(() => {
      for (const { id } of this.#store.parked()) this.#store.unpark(id);
      const effects = this.#store.pending();
      for (const effect of effects) this.#store.countAttempt(effect.id);
      return effects;
    });
    for (const effect of pending) {
      const machine = this.#store.byId(effect.machine)!;
      const kind = this.#kinds.get(machine.kind);
      if (kind !== undefined && Object.hasOwn(kind.handlers, effect.kind)) {
        this.#effects.run(kind, machine, { ...effect, attempts: effect.attempts + 1 });
      } else {
        this.#onError(new Error(`nothing handles ${effect.kind} of ${machine.kind}`), `effect of ${machine.key}`);
      }
    }
    for (const id of this.#store.signalled()) this.#ready.add(id);
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#phase = 'stopped';
    this.#cancelAlarm();
    this.#cancelRetry?.();
    await this.#effects.stop();
    this.#settle();
  }

  async quiet(): Promise<void> {
    await this.#until(() => this.#isQuiet());
  }

  async idle(): Promise<void> {
    await this.#until(() => this.#isQuiet() && this.#effects.waitedFor === 0);
  }

  nextWake(): Instant | undefined {
    return this.#store.nextWake();
  }

  parked(): readonly ParkedMachine[] {
    return this.#store.parked().map(({ kind, key, error }) => ({ kind, key, error }));
  }

  #isQuiet(): boolean {
    if (this.#ready.size > 0 || this.#scheduled) return false;
    return (this.nextWake() ?? Number.POSITIVE_INFINITY) > this.#clock.now();
  }

  async #until(condition: () => boolean): Promise<void> {
    const met = (): boolean => this.#phase === 'stopped' || condition();
    // The clock may have moved without an alarm having rung yet.
    this.#schedule();
    await new Promise<void>((resolve) => {
      this.#waiters.push({ met, resolve });
      this.#settle();
    });
  }

  #settle(): void {
    if (this.#waiters.length === 0) return;
    const [met, unmet] = [this.#waiters.filter((w) => w.met()), this.#waiters.filter((w) => !w.met())];
    this.#waiters = unmet;
    for (const waiter of met) waiter.resolve();
  }

  #wake(id: number): void {
    this.#ready.add(id);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#phase !== 'running') return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#phase === 'running') this.#turn();
    });
  }

  /** A bounded number of steps; the rest after other work of the process had its turn. */
  #turn(): void {
    try {
      for (const id of this.#store.due(this.#clock.now(), STEPS_PER_TURN)) this.#ready.add(id);
      let steps = 0;
      for (const id of this.#ready) {
        if (steps++ >= STEPS_PER_TURN) break;
        this.#ready.delete(id);
        this.#step(id);
      }
      this.#arm();
    } catch (error) {
      this.#onError(error, 'stepping machines');
      this.#retryLater();
    }
    this.#settle();
  }

  #arm(): void {
    this.#cancelAlarm();
    this.#cancelAlarm = () => undefined;
    const next = this.nextWake();
    if (this.#ready.size > 0 || (next !== undefined && next <= this.#clock.now())) this.#schedule();
    else if (next !== undefined) {
      this.#cancelAlarm = this.#clock.alarm(next, () => this.#schedule());
    }
  }

  #step(id: number): void {
    let stepped: Stepped | undefined;
    try {
      stepped = stepOnce(this.#db, this.#store, this.#kinds, id, this.#clock.now());
    } catch (error) {
      this.#failed(id, error);
      return;
    }
    if (stepped === undefined) return;
    const { row, effects, done } = stepped;
    this.#point({ what: 'commit', machine: row.kind, key: row.key, detail: done ? 'done' : 'step' });
    const kind = this.#kinds.get(row.kind)!;
    for (const effect of effects) this.#effects.run(kind, row, effect);
    this.#countAtOnce(id, stepped);
  }

  /** What a full disk or a busy file prevented is tried again; what the machine's own code refused is put aside. */
  #failed(id: number, error: unknown): void {
    const row = this.#store.byId(id);
    this.#onError(error, `a step of ${row?.kind ?? 'a machine'} ${row?.key ?? id} failed`);
    if (isDiskFull(error) || isDatabaseError(error)) {
      this.#ready.add(id);
      throw error;
    }
    this.#store.park(id, error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 4_000) : String(error));
  }

  #countAtOnce(id: number, { again, row }: Stepped): void {
    const now = this.#clock.now();
    const count = this.#atOnce.get(id);
    if (!again) this.#atOnce.delete(id);
    else if (count === undefined || now - count.now > RETRY_MS) this.#atOnce.set(id, { now, steps: 1 });
    else if (++count.steps > STEPS_AT_ONCE_MAX) {
      this.#atOnce.delete(id);
      const error = `it stepped ${STEPS_AT_ONCE_MAX} times at one instant without a signal`;
      this.#onError(new Error(error), `${row.kind} ${row.key} of ${ownerOf(row).account}`);
      this.#store.park(id, error);
    }
  }

  #retryLater(): void {
    if (this.#cancelRetry !== undefined || this.#phase !== 'running') return;
    this.#cancelRetry = after(RETRY_MS, () => {
      this.#cancelRetry = undefined;
      this.#schedule();
    });
  }
}

/** Further members of a caller's owner must not become parameters of a statement. */
function only({ account, region }: Owner): Owner {
  return { account, region };
}

/** True for the driver's input/output and busy errors, which are not the machine's fault; not for broken constraints. */
function isDatabaseError(error: unknown): boolean {
  const { errcode } = error as { errcode?: unknown };
  return typeof errcode === 'number' && [5, 6, 8, 10, 13].includes(errcode % 256);
}
