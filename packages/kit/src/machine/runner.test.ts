import { describe, expect, it } from 'vitest';
import { ManualClock } from '../clock.ts';
import { openDatabase, type Database } from '../sqlite.ts';
import { advanceClock } from './advance.ts';
import type { EffectResult, Machine } from './machine.ts';
import { createRunner, type RunnerPoint } from './runner.ts';
import { MACHINE_TABLES_1 } from './schema.ts';

const OWNER = { account: '000000000000', region: 'us-east-1' };

function bench(onPoint?: (point: RunnerPoint) => void) {
  const db = openDatabase(':memory:', [{ version: 1, name: 'core', sql: MACHINE_TABLES_1 }]);
  const clock = new ManualClock(0);
  const errors: string[] = [];
  const make = () =>
    createRunner({
      db,
      clock,
      onError: (error, what) => errors.push(`${what}: ${error instanceof Error ? error.message : error}`),
      ...(onPoint === undefined ? {} : { onPoint }),
    });
  return { db, clock, errors, make };
}

const count = (db: Database, table: string): number =>
  db.statement<void, { n: number }>(`SELECT count(*) AS n FROM ${table}`).get()!.n;

type Work = { kind: 'work'; n: number };

/** Does `left` pieces of work one after the other, `pauseMs` apart, and keeps their results. */
const worker: Machine<{ left: number; pauseMs: number; results: unknown[] }, 'hurry', Work> = {
  kind: 'worker',
  step(state, signals, now) {
    const ended = signals.filter((signal): signal is EffectResult<Work> => signal !== 'hurry');
    const results = [...state.results, ...ended.map((end) => (end.kind === 'effect-done' ? end.result : end.message))];
    if (state.left === 0) return { state: { ...state, results }, done: ended.length > 0 };
    if (ended.length > 0) return { state: { ...state, results }, wakeAt: now + state.pauseMs };
    return { state: { ...state, left: state.left - 1 }, effects: [{ kind: 'work', n: state.left }] };
  },
};

describe('the runner', () => {
  it('steps a machine at its instants, runs its effects and gives it their results', async () => {
    const { db, clock, make } = bench();
    const runner = make();
    const ran: { n: number; at: number; attempt: number }[] = [];
    runner.register(worker, {
      async work(effect, { attempt }) {
        ran.push({ n: effect.n, at: clock.now(), attempt });
        if (effect.n === 2) throw new Error('number two');
        return effect.n * 10;
      },
    });
    runner.start();
    runner.create('worker', OWNER, 'a', { left: 3, pauseMs: 100, results: [] });
    await runner.idle();
    expect(runner.nextWake()).toBe(100);
    expect(await advanceClock(clock, runner, 1_000)).toBe(1_000);
    expect(ran).toEqual([
      { n: 3, at: 0, attempt: 1 },
      { n: 2, at: 100, attempt: 1 },
      { n: 1, at: 200, attempt: 1 },
    ]);
    expect(db.statement<void, { state: string }>('SELECT state FROM machines').get()?.state).toBe(
      '{"left":0,"pauseMs":100,"results":[30,"number two",10]}',
    );
    expect([count(db, 'signals'), count(db, 'effects'), runner.nextWake()]).toEqual([0, 0, undefined]);
    await runner.stop();
  });

  it('creates and signals inside the caller’s transaction, or not at all', async () => {
    const points: string[] = [];
    const { db, make } = bench((point) => points.push(`${point.what} ${point.detail}`));
    const runner = make();
    runner.register(worker, { work: async () => 1 });
    runner.start();
    expect(() =>
      db.transaction(() => {
        runner.create('worker', OWNER, 'a', { left: 1, pauseMs: 0, results: [] });
        expect(runner.signal('worker', OWNER, 'a', 'hurry')).toBe(true);
        throw new Error('the caller changed its mind');
      }),
    ).toThrow('changed its mind');
    await runner.idle();
    expect([count(db, 'machines'), count(db, 'signals'), points]).toEqual([0, 0, []]);
    expect(runner.signal('worker', OWNER, 'a', 'hurry')).toBe(false);
    await runner.stop();
  });

  it('lets a key be used again once its machine is done, and not before', async () => {
    const { db, make } = bench();
    const runner = make();
    runner.register(worker, { work: async () => 1 });
    runner.start();
    const create = (): void => runner.create('worker', OWNER, 'a', { left: 1, pauseMs: 0, results: [] });
    create();
    expect(create).toThrow('UNIQUE');
    runner.create('worker', { ...OWNER, account: '111111111111' }, 'a', { left: 1, pauseMs: 0, results: [] });
    await runner.idle();
    expect(runner.signal('worker', OWNER, 'a', 'hurry')).toBe(false);
    create();
    await runner.idle();
    expect(count(db, 'machines')).toBe(3);
    await runner.stop();
  });

  it('projects in the transaction of the step, and parks a machine whose step or projection throws', async () => {
    const { db, errors, make } = bench();
    db.exec('CREATE TABLE shown (key TEXT, value INTEGER) STRICT');
    const runner = make();
    let broken = true;
    const machine: Machine<number, 'up', never> = {
      kind: 'counter',
      step: (state, signals) => ({ state: state + signals.length }),
      project(database, _owner, key, state) {
        database
          .statement<{ key: string; value: number }>('INSERT INTO shown VALUES (:key, :value)')
          .run({ key, value: state });
        if (state === 1 && broken) throw new Error('cannot show 1');
      },
    };
    runner.register(machine, {});
    runner.start();
    runner.create('counter', OWNER, 'a', 0);
    await runner.quiet();
    runner.signal('counter', OWNER, 'a', 'up');
    await runner.quiet();
    expect(runner.parked()).toEqual([{ kind: 'counter', key: 'a', error: 'Error: cannot show 1' }]);
    expect(errors).toEqual(['a step of counter a failed: cannot show 1']);
    expect(count(db, 'signals')).toBe(1);
    broken = false;
    runner.signal('counter', OWNER, 'a', 'up');
    await runner.quiet();
    expect(db.statement<void, { value: number }>('SELECT value FROM shown ORDER BY rowid').all()).toEqual([
      { value: 0 },
      { value: 0 },
      { value: 2 },
    ]);
    expect(runner.parked()).toEqual([]);
    await runner.stop();
  });

  it('tries a parked machine again at the next start', async () => {
    const { db, make } = bench();
    let broken = true;
    const machine: Machine<number, never, never> = {
      kind: 'once',
      step(state) {
        if (broken) throw new Error('not yet');
        return { state: state + 1, done: true };
      },
    };
    const [first, second] = [make(), make()];
    first.register(machine, {});
    first.start();
    first.create('once', OWNER, 'a', 0);
    await first.quiet();
    expect(first.parked()).toHaveLength(1);
    await first.stop();
    broken = false;
    second.register(machine, {});
    second.start();
    await second.quiet();
    expect(db.statement('SELECT state, done_at FROM machines').get()).toEqual({ state: '1', done_at: 0 });
    await second.stop();
  });

  it('puts aside a machine that would step itself for ever', async () => {
    const { make, errors } = bench();
    const runner = make();
    runner.register<number, never, never>(
      { kind: 'spin', step: (state, _, now) => ({ state: state + 1, wakeAt: now }) },
      {},
    );
    runner.start();
    runner.create('spin', OWNER, 'a', 0);
    await runner.quiet();
    expect(runner.parked()[0]?.error).toContain('1000 times at one instant');
    expect(errors).toHaveLength(1);
    await runner.stop();
  });

  it('goes on after a full disk has room again', async () => {
    const { db, clock, make } = bench();
    const runner = make();
    runner.register(worker, { work: async () => 'x'.repeat(900_000) });
    runner.start();
    runner.create('worker', OWNER, 'a', { left: 1, pauseMs: 0, results: [] });
    db.exec('PRAGMA max_page_count = 30');
    await new Promise<void>((resolve) => {
      const look = (): void => void (count(db, 'effects') === 1 ? setImmediate(resolve) : setImmediate(look));
      look();
    });
    db.exec('PRAGMA max_page_count = 1000000');
    await runner.idle();
    expect(db.statement('SELECT done_at FROM machines').get()).toEqual({ done_at: clock.now() });
    await runner.stop();
  });

  it('leaves aborted effects pending when it stops, and runs them again with a higher attempt', async () => {
    const { db, make } = bench();
    const attempts: number[] = [];
    let begin: () => void = () => undefined;
    const started = new Promise<void>((resolve) => (begin = resolve));
    const [first, second] = [make(), make()];
    first.register(worker, {
      work: async (_, { signal, attempt }) => {
        attempts.push(attempt);
        begin();
        return await new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        });
      },
    });
    first.start();
    first.create('worker', OWNER, 'a', { left: 1, pauseMs: 0, results: [] });
    await started;
    await first.stop();
    second.register(worker, { work: async (_, { attempt }) => attempts.push(attempt) });
    second.start();
    await second.idle();
    expect(attempts).toEqual([1, 2]);
    expect(db.statement('SELECT done_at FROM machines').get()).toEqual({ done_at: 0 });
    await second.stop();
  });

  it('does not wait in idle() for an effect that watches in the background', async () => {
    const { clock, make } = bench();
    const runner = make();
    type Watch = { kind: 'watch'; background: true };
    runner.register<number, never, Watch>(
      {
        kind: 'watcher',
        step: (state) => ({ state, effects: state === 0 ? [{ kind: 'watch', background: true }] : [] }),
      },
      {
        watch: async (_, { signal }) =>
          await new Promise((_resolve, reject) =>
            signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
          ),
      },
    );
    runner.start();
    runner.create('watcher', OWNER, 'a', 0);
    await advanceClock(clock, runner, 5_000);
    expect(clock.now()).toBe(5_000);
    await runner.stop();
  });

  it('refuses wrong wiring: two of a name, an unknown kind, an effect without a handler, a late registration', async () => {
    const { make, errors } = bench();
    const runner = make();
    const machine: Machine<number, never, { kind: 'missing' }> = {
      kind: 'odd',
      step: (state) => ({ state, effects: [{ kind: 'missing' }] }),
    };
    runner.register(machine, {} as never);
    expect(() => runner.register(machine, {} as never)).toThrow('two machines are called odd');
    expect(() => runner.create('even', OWNER, 'a', 0)).toThrow('no machine of kind even');
    runner.start();
    expect(() => runner.register(worker, { work: async () => 1 })).toThrow('before the runner starts');
    runner.create('odd', OWNER, 'a', 0);
    await runner.quiet();
    expect(errors).toEqual(['a step of odd a failed: odd has no handler for missing']);
    await runner.stop();
  });
});
