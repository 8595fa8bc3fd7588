import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '@slipway/kit/ids';
import { after } from '@slipway/kit/stopwatch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CACHE_FOLDER, jobPython } from '../support/python-clients.ts';
import { makeDemoProject, openDelivery, runThrough, type Acknowledged } from './demo-project.ts';
import { acknowledgedAreThere, jobsEndedOnce, noFileIsLeft, objectsEqualTheirDigests } from './invariants.ts';
import { startMortalServer, type MortalServer } from './mortal-server.ts';
import { processesIn } from './processes.ts';

const RANDOM_KILLS = 30;
/** Each death costs a start of the server, and some a start of its Python. */
const LIMIT_MS = 900_000;

let root: string;
beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-crash-')));
});
afterAll(() => rmSync(root, { recursive: true, force: true, maxRetries: 3 }));

interface Outcome {
  /** Keys to ETags of what training and evaluation computed, which no crash may change. */
  readonly computed: ReadonlyMap<string, string>;
  readonly predictions: readonly string[];
  readonly deaths: number;
}

/** Takes the demo through on a server that dies, checks everything, and says how it ended. */
async function live(
  name: string,
  dying: (server: MortalServer, finished: () => boolean) => void,
  pointsFile?: string,
): Promise<Outcome> {
  const folder = join(root, name);
  const dataFolder = join(folder, '.slipway');
  // The script names these files, and its text is part of a run's name: each run uses the same ones.
  const starts = join(root, 'starts');
  rmSync(starts, { force: true });
  const { python } = await jobPython();
  makeDemoProject(folder, python, { lock: join(root, 'lock'), starts });
  const acknowledged: Acknowledged[] = [];
  const server = await startMortalServer({
    dataFolder,
    cacheFolder: CACHE_FOLDER,
    ...(pointsFile === undefined ? {} : { pointsFile }),
  });
  let finished = false;
  try {
    const { delivery, aws } = await openDelivery(folder, server.url, acknowledged);
    dying(server, () => finished);
    await server.outlive(async () => await runThrough(delivery));
    const predictions = await server.outlive(async () => await predict(delivery));
    finished = true;
    await server.outlive(async () => await acknowledgedAreThere(aws, acknowledged));
    await server.outlive(async () => await jobsEndedOnce(aws, acknowledged));
    const etags = await server.outlive(async () => await objectsEqualTheirDigests(aws));
    expect(readFileSync(starts, 'utf8')).toBe('start\n');
    await server.stop();
    expect(processesIn(dataFolder)).toEqual([]);
    noFileIsLeft(dataFolder);
    const computed = new Map([...etags].filter(([key]) => /model\.tar\.gz$|predictions\.csv$|\/data\//.test(key)));
    return { computed, predictions, deaths: server.deaths() };
  } finally {
    finished = true;
    await server.stop();
  }
}

async function predict(delivery: Awaited<ReturnType<typeof openDelivery>>['delivery']): Promise<readonly string[]> {
  const row = (count: number): Uint8Array =>
    Buffer.from(`${Array.from({ length: count }, (_, index) => index / 10).join(',')}\n`);
  const answers = [
    await delivery.invoke({ model: 'breast-cancer', body: row(30) }),
    await delivery.invoke({ model: 'diabetes', body: row(10) }),
  ];
  return answers.map(({ body }) => Buffer.from(body).toString('utf8'));
}

describe('a server that is killed with SIGKILL', () => {
  let undisturbed: Outcome;

  it('ends the demo in one go when nobody kills it', async () => {
    undisturbed = await live('undisturbed', () => undefined);
    expect(undisturbed.deaths).toBe(0);
    expect(undisturbed.predictions).toHaveLength(2);
  });

  it(
    'loses nothing when it is killed once at each commit, effect and result',
    async () => {
      const points = join(root, 'points');
      const outcome = await live('at-each-point', () => undefined, points);
      const killed = readFileSync(points, 'utf8').trim().split('\n');
      process.stdout.write(`killed at ${killed.length} points\n`);
      expect(outcome.deaths).toBe(killed.length);
      expect(new Set(killed.map((point) => point.split(' ')[2]))).toEqual(new Set(['commit', 'effect', 'result']));
      expect(killed.some((point) => point.startsWith('sagemaker CreateModelPackage commit'))).toBe(true);
      expect(outcome.predictions).toEqual(undisturbed.predictions);
      expect(outcome.computed).toEqual(undisturbed.computed);
    },
    LIMIT_MS,
  );

  it(
    `loses nothing when it is killed at ${RANDOM_KILLS} random instants`,
    async () => {
      const seed = Number(process.env['SLIPWAY_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
      process.stdout.write(`seed ${seed} (SLIPWAY_SEED=${seed} repeats it)\n`);
      const random = seededRandom(seed);
      let deaths = 0;
      // One run is over before so many kills; each further run is a demo of its own.
      for (let run = 1; deaths < RANDOM_KILLS; run += 1) {
        const outcome = await live(`at-random-${run}`, (server, finished) => {
          const next = (): void => {
            after(50 + random() * 2_000, () => {
              if (finished() || deaths + server.deaths() >= RANDOM_KILLS) return;
              server.kill();
              next();
            });
          };
          next();
        });
        deaths += outcome.deaths;
        expect(outcome.deaths).toBeGreaterThan(0);
        expect(outcome.predictions).toEqual(undisturbed.predictions);
        expect(outcome.computed).toEqual(undisturbed.computed);
      }
      process.stdout.write(`killed ${deaths} times\n`);
    },
    LIMIT_MS,
  );
});
