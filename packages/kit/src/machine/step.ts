import type { Instant } from '../clock.ts';
import type { Database } from '../sqlite.ts';
import type { Effect, EffectHandler, Machine, Owner, Step } from './machine.ts';
import type { EffectRow, MachineRow, MachineStore } from './store.ts';

/** A machine's kind as the runner keeps it: the types of state, signals and effects are its owner's business. */
export interface RegisteredKind {
  readonly machine: Machine<unknown, unknown, Effect>;
  readonly handlers: Readonly<Record<string, EffectHandler<Effect>>>;
}

/** What a committed step leaves to do. */
export interface Stepped {
  readonly row: MachineRow;
  readonly effects: readonly EffectRow[];
  readonly done: boolean;
  /** True when the step was not caused by a signal and wants the next one at once. */
  readonly again: boolean;
}

/** A step may ask for this much at once; more is a defect that would fill the disk. */
const EFFECTS_MAX = 1_000;

/**
 * Steps one machine in one transaction: reads its unread signals, writes the new state, its projection and its effects,
 * and consumes the signals. Results of effects that are read here have done their duty, so their rows go too.
 *
 * @returns undefined when nothing was due
 * @throws whatever the machine's step or projection throws; nothing is written then
 */
export function stepOnce(
  db: Database,
  store: MachineStore,
  kinds: ReadonlyMap<string, RegisteredKind>,
  id: number,
  now: Instant,
): Stepped | undefined {
  return db.transaction(() => {
    const row = store.byId(id);
    if (row === undefined || row.done_at !== null) return undefined;
    const kind = kinds.get(row.kind);
    if (kind === undefined) throw new Error(`no machine of kind ${row.kind} is registered`);
    const signals = store.signals(id).map((body) => JSON.parse(body) as unknown);
    if (signals.length === 0 && (row.wake_at === null || row.wake_at > now)) return undefined;

    const step = kind.machine.step(JSON.parse(row.state), signals, now);
    const done = step.done === true;
    const wakeAt = done ? null : wakeOf(step);
    const state = toJson(step.state);
    if (!store.writeStep({ id, version: row.version, state, wakeAt, doneAt: done ? now : null })) {
      throw new Error(`the machine ${row.kind} ${row.key} changed while it was stepped`);
    }
    store.deleteSignals(id);
    store.deleteEnded(id);
    kind.machine.project?.(db, ownerOf(row), row.key, JSON.parse(state), now);
    const effects = writeEffects(store, kind, row, step);
    return { row, effects, done, again: signals.length === 0 && wakeAt !== null && wakeAt <= now };
  });
}

function wakeOf(step: Step<unknown, Effect>): Instant | null {
  if (step.wakeAt === undefined) return null;
  if (!Number.isFinite(step.wakeAt)) throw new RangeError(`wakeAt is ${step.wakeAt}`);
  return Math.ceil(step.wakeAt);
}

function writeEffects(
  store: MachineStore,
  kind: RegisteredKind,
  row: MachineRow,
  step: Step<unknown, Effect>,
): EffectRow[] {
  const effects = step.effects ?? [];
  if (effects.length > EFFECTS_MAX) throw new RangeError(`a step asked for ${effects.length} effects`);
  return effects.map((effect) => {
    if (!Object.hasOwn(kind.handlers, effect.kind)) throw new Error(`${row.kind} has no handler for ${effect.kind}`);
    return store.insertEffect(row.id, effect.kind, toJson(effect));
  });
}

export function ownerOf(row: MachineRow): Owner {
  return { account: row.account, region: row.region };
}

/** JSON text of a value; `undefined` becomes null because a row must hold something. */
export function toJson(value: unknown): string {
  return JSON.stringify(value) ?? 'null';
}
