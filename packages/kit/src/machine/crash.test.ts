import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../clock.ts';
import { seededRandom } from '../ids.ts';
import { openDatabase } from '../sqlite.ts';
import type { Machine } from './machine.ts';
import { createRunner } from './runner.ts';
import { MACHINE_TABLES_1 } from './schema.ts';

/*
 * Random machines, killed at every durable point. What a killed process leaves is its files, so at the chosen point the
 * database's files are copied together with what had happened in the world by then; the rest of that run is forgotten,
 * and a new runner goes on from the copy. Everything is told by the machines' own final states.
 */

const OWNER = { account: '000000000000', region: 'us-east-1' };
const MIGRATIONS = [{ version: 1, name: 'core', sql: MACHINE_TABLES_1 }];

type Work = { kind: 'work'; fails: boolean };
interface Told {
  readonly number: number;
}
interface Tale {
  readonly left: number;
  readonly outstanding: number;
  readonly awaited: number;
  readonly results: readonly string[];
  readonly heard: readonly number[];
  readonly steps: readonly number[];
}

/** Asks for one to three effects at a time, sleeps between, and ends when it also heard all it waits for. */
const teller: Machine<Tale, Told, Work> = {
  kind: 'teller',
  step(state, signals, now) {
    const results = signals.flatMap((signal) => ('number' in signal ? [] : [`${signal.id} ${signal.kind}`]));
    const heard = signals.flatMap((signal) => ('number' in signal ? [signal.number] : []));
    const next: Tale = {
      ...state,
      outstanding: state.outstanding - results.length,
      results: [...state.results, ...results],
      heard: [...state.heard, ...heard],
      steps: [...state.steps, now],
    };
    if (next.outstanding > 0) return { state: next };
    if (next.left === 0) return { state: next, done: new Set(next.heard).size >= next.awaited };
    if (next.left % 2 === 0 && heard.length === 0) return { state: { ...next, left: next.left - 1 }, wakeAt: now + 10 };
    const effects = Array.from({ length: 1 + (next.left % 3) }, (_, n) => ({ kind: 'work' as const, fails: n === 1 }));
    return { state: { ...next, left: next.left - 1, outstanding: effects.length }, effects };
  },
};

/** What is outside the process: it is not undone when the process dies. */
interface World {
  now: number;
  created: number;
  /** How many numbers each machine was told, acknowledged. */
  told: number[];
  attempts: Record<string, number[]>;
}

interface Plan {
  readonly seed: number;
  readonly lefts: readonly number[];
  readonly awaited: number;
}

interface Ended {
  readonly points: number;
  /** Where the copy lies and what the world was, when the run was killed. */
  readonly killed?: { readonly folder: string; readonly world: World };
  readonly tales: readonly Tale[];
  readonly undone: number;
}

/** Runs from the folder's state to the end, or copies everything at point `killAt` and forgets the rest. */
async function run(folder: string, world: World, plan: Plan, killAt: number): Promise<Ended> {
  const db = openDatabase(join(folder, 'x.sqlite'), MIGRATIONS);
  const random = seededRandom(plan.seed + killAt);
  const clock = new ManualClock(world.now);
  let points = 0;
  let killed: Ended['killed'];
  const runner = createRunner({
    db,
    clock,
    onPoint: () => {
      points += 1;
      if (points !== killAt) return;
      const copy = join(folder, `copy-${killAt}`);
      mkdirSync(copy);
      for (const suffix of ['', '-wal']) cpSync(join(folder, `x.sqlite${suffix}`), join(copy, `x.sqlite${suffix}`));
      killed = { folder: copy, world: { ...structuredClone(world), now: clock.now() } };
    },
  });
  runner.register(teller, {
    async work({ fails }, { id, attempt }) {
      for (let waits = Math.floor(random() * 4); waits > 0; waits -= 1) await new Promise(setImmediate);
      (world.attempts[id] ??= []).push(attempt);
      if (fails) throw new Error('as asked');
      return id;
    },
  });
  runner.start();
  while (killed === undefined && drive(runner, world, plan, random)) await new Promise(setImmediate);
  while (killed === undefined) {
    await runner.idle();
    const next = runner.nextWake();
    if (next === undefined) break;
    clock.advance(next - clock.now());
  }
  await runner.stop();
  const rows = db
    .statement<void, { state: string; done_at: number | null }>('SELECT state, done_at FROM machines')
    .all();
  db.close();
  const tales = rows.map(({ state }) => JSON.parse(state) as Tale);
  const undone = rows.filter((row) => row.done_at === null).length;
  return { points, tales, undone, ...(killed === undefined ? {} : { killed }) };
}

/** A client: creates the machines, then tells each its numbers. @returns false when it has nothing more to say */
function drive(runner: ReturnType<typeof createRunner>, world: World, plan: Plan, random: () => number): boolean {
  if (world.created < plan.lefts.length) {
    const key = String(world.created);
    try {
      const tale = { left: plan.lefts[world.created]!, outstanding: 0, awaited: plan.awaited };
      runner.create('teller', OWNER, key, { ...tale, results: [], heard: [], steps: [] });
    } catch (error) {
      // Created just before the process died, so the answer was lost: a client that retries is told that it exists.
      if (!String(error).includes('UNIQUE')) throw error;
    }
    world.created += 1;
    world.told.push(0);
    return true;
  }
  const hungry = world.told.flatMap((told, machine) => (told < plan.awaited ? [machine] : []));
  const machine = hungry[Math.floor(random() * hungry.length)];
  if (machine === undefined) return false;
  runner.signal('teller', OWNER, String(machine), { number: world.told[machine]! });
  world.told[machine]! += 1;
  return true;
}

function check(ended: Ended, world: World, plan: Plan, kills: number): void {
  expect(ended.undone).toBe(0);
  expect(ended.tales).toHaveLength(plan.lefts.length);
  let repeated = 0;
  for (const tale of ended.tales) {
    // Each effect's result arrived exactly once.
    expect(new Set(tale.results.map((result) => result.split(' ')[0])).size).toBe(tale.results.length);
    // Every number was heard, in order; only one whose acknowledgement was lost may have been told twice.
    const first = tale.heard.filter((number, index) => tale.heard.indexOf(number) === index);
    expect(first).toEqual(Array.from({ length: plan.awaited }, (_, number) => number));
    repeated += tale.heard.length - first.length;
    expect([...tale.steps].sort((a, b) => a - b)).toEqual(tale.steps);
  }
  expect(repeated).toBeLessThanOrEqual(kills);
  const ids = ended.tales.flatMap((tale) => tale.results.map((result) => result.split(' ')[0]!));
  expect(Object.keys(world.attempts).sort()).toEqual([...ids].sort());
  // An effect that was called again was told so, and none is called again after its result was recorded.
  for (const attempts of Object.values(world.attempts)) {
    expect([...new Set(attempts)]).toEqual(attempts);
    expect(attempts.length).toBeLessThanOrEqual(kills + 1);
  }
}

const newWorld = (): World => ({ now: 0, created: 0, told: [], attempts: {} });

async function inFolder<T>(work: (folder: () => string) => Promise<T>): Promise<T> {
  const root = mkdtempSync(join(tmpdir(), 'slipway-crash-'));
  let count = 0;
  try {
    return await work(() => {
      const folder = join(root, String((count += 1)));
      mkdirSync(folder);
      return folder;
    });
  } finally {
    rmSync(root, { recursive: true });
  }
}

describe('a runner that is killed', () => {
  it('at every point of a run goes on as if it had not been', async () => {
    const plan: Plan = { seed: 1, lefts: [3, 4, 1], awaited: 2 };
    await inFolder(async (folder) => {
      const world = newWorld();
      const whole = await run(folder(), world, plan, 0);
      check(whole, world, plan, 0);
      expect(whole.points).toBeGreaterThan(30);
      for (let killAt = 1; killAt <= whole.points; killAt += 1) {
        const first = await run(folder(), newWorld(), plan, killAt);
        if (first.killed === undefined) continue;
        const last = await run(first.killed.folder, first.killed.world, plan, 0);
        check(last, first.killed.world, plan, 1);
      }
    });
  }, 60_000);

  it('again and again, at random points of random machines, loses nothing', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 0, max: 3 }),
        fc.array(fc.integer({ min: 1, max: 25 }), { minLength: 1, maxLength: 4 }),
        async (seed, lefts, awaited, killPoints) => {
          const plan: Plan = { seed, lefts, awaited };
          await inFolder(async (folder) => {
            let [at, world, kills] = [folder(), newWorld(), 0];
            for (const killAt of killPoints) {
              const { killed } = await run(at, world, plan, killAt);
              if (killed === undefined) break;
              [at, world, kills] = [killed.folder, killed.world, kills + 1];
            }
            const last = await run(at, world, plan, 0);
            check(last, world, plan, kills);
          });
        },
      ),
      { numRuns: 40 },
    );
  }, 60_000);

  it('would be caught by these checks if it lost a result (the canary)', async () => {
    const plan: Plan = { seed: 2, lefts: [2], awaited: 1 };
    await inFolder(async (folder) => {
      const world = newWorld();
      const ended = await run(folder(), world, plan, 0);
      const [tale] = ended.tales;
      const robbed = { ...ended, tales: [{ ...tale!, results: tale!.results.slice(1) }] };
      expect(() => check(robbed, world, plan, 0)).toThrow();
      const twice = { ...ended, tales: [{ ...tale!, results: [...tale!.results, tale!.results[0]!] }] };
      expect(() => check(twice, world, plan, 0)).toThrow();
    });
  });
});
