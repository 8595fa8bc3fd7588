import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { GateConfig } from '../project/model.ts';
import { METRICS, metricsOf } from '../statistics/metric-names.ts';
import { seededRandom } from '../statistics/random.ts';
import { rowsNeeded, verdictOf } from './compare.ts';
import type { GateReport, JudgeInput, PredictionTable } from './gate.ts';
import { judge } from './judge.ts';
import { renderReport } from './report.ts';

const REGRESSION: GateConfig = {
  primary: { metric: 'rmse', rule: 'non-inferior', margin: 0.02 },
  confidence: 0.95,
  floors: [],
  guardrails: [],
  minRows: 50,
  onInconclusive: 'hold',
};
const BINARY: GateConfig = { ...REGRESSION, primary: { metric: 'roc_auc', rule: 'non-inferior', margin: 0.02 } };

/** Two models of equal quality whose errors have the given correlation, then the champion's made worse by a factor. */
function regressionTable(seed: number, n: number, correlation = 0.9, championNoise = 1): PredictionTable {
  const random = seededRandom(seed);
  const y = Float64Array.from({ length: n }, () => 150 + 70 * random.normal());
  const shared = y.map(() => random.normal());
  const error = (i: number): number =>
    55 * (Math.sqrt(correlation) * (shared[i] as number) + Math.sqrt(1 - correlation) * random.normal());
  const challenger = y.map((value, i) => value + error(i));
  const champion = y.map((value, i) => value + championNoise * error(i));
  return { id: Array.from(y, (_, i) => String(i)), y, challenger, champion, trivial: 150 };
}

function binaryTable(seed: number, n: number, separation = 2): PredictionTable {
  const random = seededRandom(seed);
  const y = Float64Array.from({ length: n }, () => (random.uniform() < 0.37 ? 0 : 1));
  const shared = y.map((value) => (value - 0.5) * separation + random.normal());
  const score = (): Float64Array => shared.map((x) => 1 / (1 + Math.exp(-separation * (x + 0.3 * random.normal()))));
  return { id: Array.from(y, (_, i) => String(i)), y, challenger: score(), champion: score(), trivial: 0.63 };
}

function withoutChampion(table: PredictionTable): PredictionTable {
  const { id, y, challenger, trivial } = table;
  return { id, y, challenger, trivial };
}

function judgeRegression(table: PredictionTable, gate: GateConfig = REGRESSION, seed = 1): GateReport {
  return judge({ table, gate, task: 'regression', metrics: ['rmse'], seed, draws: 200 });
}

function judgeBinary(table: PredictionTable, gate: GateConfig = BINARY): GateReport {
  return judge({ table, gate, task: 'binary', metrics: metricsOf('binary'), seed: 1, draws: 300 });
}

test('a first version is judged by its floors, and the report says so', () => {
  const gate: GateConfig = { ...REGRESSION, floors: [{ metric: 'rmse', operator: '<=', threshold: 70 }] };
  const table = withoutChampion(regressionTable(1, 133));
  const passed = judgeRegression(table, gate);
  expect(passed.outcome).toBe('passed');
  expect(passed.notes.join(' ')).toContain('no champion to compare with');
  const failed = judgeRegression(table, { ...gate, floors: [{ metric: 'r2', operator: '>=', threshold: 0.99 }] });
  expect(failed).toMatchObject({ outcome: 'failed', decidedBy: expect.stringContaining('r2') as string });
});

test('a floor that is missed fails, and one that the interval reaches over is called so', () => {
  const table = withoutChampion(regressionTable(1, 133));
  const rmse = judgeRegression(table).metrics[0]?.value as number;
  const at = (threshold: number): GateReport =>
    judgeRegression(table, { ...REGRESSION, floors: [{ metric: 'rmse', operator: '<=', threshold }] });
  expect(at(rmse / 2)).toMatchObject({ outcome: 'failed', floors: [{ passed: false, uncertain: false }] });
  expect(at(rmse * 1.001)).toMatchObject({ outcome: 'passed', floors: [{ passed: true, uncertain: true }] });
  expect(at(rmse * 2)).toMatchObject({ outcome: 'passed', floors: [{ passed: true, uncertain: false }] });
});

test('with neither a champion nor a floor the model must beat the trivial predictor', () => {
  const table = withoutChampion(regressionTable(1, 133));
  expect(judgeRegression(table).outcome).toBe('passed');
  const useless = { ...table, challenger: table.y.map((_, i) => (i % 2 === 0 ? 0 : 400)) };
  expect(judgeRegression(useless)).toMatchObject({
    outcome: 'failed',
    decidedBy: expect.stringContaining('of the mean') as string,
  });
});

test('the same table and seed give the same report, and another seed other draws', () => {
  const table = regressionTable(3, 133);
  expect(judgeRegression(table)).toEqual(judgeRegression(table));
  const other = judgeRegression(table, REGRESSION, 2);
  expect(other.metrics[0]?.interval).not.toEqual(judgeRegression(table).metrics[0]?.interval);
  expect(other.differences[0]?.value).toBe(judgeRegression(table).differences[0]?.value);
});

test('a difference is positive where the challenger is better, whichever way the metric points', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1000 }),
      fc.constantFrom('binary' as const, 'regression' as const),
      (seed, task) => {
        const table = task === 'binary' ? binaryTable(seed, 150) : regressionTable(seed, 150, 0.5, 1.2);
        const report = task === 'binary' ? judgeBinary(table) : judgeRegression(table);
        for (const { metric, value, champion, challenger, interval } of report.differences) {
          const better = METRICS[metric].goal === 'maximize' ? challenger - champion : champion - challenger;
          expect(value).toBe(better === 0 ? value : better);
          expect(Math.abs(value)).toBe(Math.abs(challenger - champion));
          if (interval === undefined) continue;
          expect(interval.low).toBeLessThanOrEqual(interval.high);
        }
      },
    ),
    { numRuns: 15 },
  );
});

test('equally good models are seldom called worse, and a champion that is much better nearly always is', () => {
  let worse = 0;
  const runs = 200;
  for (let seed = 0; seed < runs; seed++) {
    if (judgeRegression(regressionTable(seed, 133)).outcome === 'failed') worse++;
  }
  // The margin lies below no difference at all, so the rate is under alpha = 5 %; 12 % would be beyond chance.
  expect(worse / runs).toBeLessThan(0.06);
  let caught = 0;
  for (let seed = 0; seed < 40; seed++) {
    if (judgeRegression(regressionTable(seed, 133, 0.9, 0.7)).outcome === 'failed') caught++;
  }
  expect(caught).toBeGreaterThan(35);
});

test('a true regression of exactly the margin is let through in about one of twenty at most', () => {
  let passed = 0;
  const runs = 200;
  for (let seed = 0; seed < runs; seed++) {
    // The champion's errors are smaller by 1 / 1.02, so the challenger is worse by the margin of 2 %.
    if (judgeRegression(regressionTable(seed, 133, 0.9, 1 / 1.02)).outcome === 'passed') passed++;
  }
  expect(passed / runs).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / runs));
});

test('identical predictions are no regression, and no improvement', () => {
  const table = regressionTable(1, 133);
  const same = { ...table, champion: table.challenger };
  expect(judgeRegression(same)).toMatchObject({
    outcome: 'passed',
    differences: [{ verdict: 'non-inferior', value: 0 }],
  });
  const strict: GateConfig = { ...REGRESSION, primary: { metric: 'rmse', rule: 'non-inferior', margin: 0 } };
  expect(judgeRegression(same, strict).outcome).toBe('passed');
  const improve: GateConfig = { ...REGRESSION, primary: { metric: 'rmse', rule: 'superior', margin: 0 } };
  expect(judgeRegression(same, improve).outcome).toBe('inconclusive');
});

test('a guardrail that is worse fails although the primary metric is better', () => {
  const random = seededRandom(4);
  const table = regressionTable(4, 400, 0.5, 1.5);
  // A few huge mistakes: the mean absolute error stays better, the root mean squared error does not.
  const challenger = table.challenger.map((value, i) =>
    i % 20 === 0 ? value + 400 * Math.sign(random.normal()) : value,
  );
  const gate: GateConfig = {
    ...REGRESSION,
    primary: { metric: 'mae', rule: 'non-inferior', margin: 0.01 },
    guardrails: [{ metric: 'rmse', rule: 'non-inferior', margin: 0.02 }],
  };
  expect(judgeRegression({ ...table, challenger }, gate)).toMatchObject({
    outcome: 'failed',
    decidedBy: expect.stringContaining('guardrail rmse: worse') as string,
  });
});

test('too few rows, or too few of the rarer class, are inconclusive even where a floor is missed', () => {
  const floors = [{ metric: 'rmse' as const, operator: '<=' as const, threshold: 1 }];
  expect(judgeRegression(regressionTable(1, 49), { ...REGRESSION, floors }).outcome).toBe('inconclusive');
  const table = binaryTable(1, 200);
  const rare = { ...table, y: table.y.map((_, i) => (i < 4 ? 1 : 0)) };
  expect(judgeBinary(rare)).toMatchObject({
    outcome: 'inconclusive',
    rareRows: 4,
    decidedBy: expect.stringContaining('rarer class') as string,
  });
});

test('an inconclusive comparison says how many rows would decide it', () => {
  const report = judgeRegression(regressionTable(2, 60, 0.3), {
    ...REGRESSION,
    primary: { ...REGRESSION.primary, margin: 0.01 },
  });
  expect(report.outcome).toBe('inconclusive');
  expect(report.differences[0]?.rowsNeeded).toBeGreaterThan(60);
  expect(report.decidedBy).toMatch(/needs about \d+ rows/);
});

test("the rows needed agree with the reference's closed form for a 0/1 metric", () => {
  // n = (1.645 + 0.842)² psi / margin²: 5 % discordant rows and a margin of one point need 3093.
  const rows = 1000;
  const half = 1.6448536 * Math.sqrt(0.05 / rows);
  const interval = { low: -half, high: half, confidence: 0.9, method: '', n: rows };
  const needed = rowsNeeded({ value: 0, margin: 0.01, rule: 'non-inferior' }, interval, rows, 0.95);
  expect(needed).toBe(3100);
});

const unusable: [string, Partial<PredictionTable>, RegExp][] = [
  [
    'no rows',
    { y: new Float64Array(), challenger: new Float64Array(), champion: new Float64Array() },
    /no held-out rows/,
  ],
  ['one class', { y: new Float64Array(100).fill(1) }, /of class 1/],
  ['labels that are no classes', { y: new Float64Array(100).fill(2) }, /neither 0 nor 1/],
  ['a prediction that is no number', { challenger: new Float64Array(100).fill(Number.NaN) }, /new model/],
  ['a champion that says no number', { champion: new Float64Array(100).fill(Number.NaN) }, /in production/],
  ['margins instead of probabilities', { challenger: new Float64Array(100).fill(-3) }, /not a probability/],
  ['columns of different lengths', { challenger: new Float64Array(99).fill(0.5) }, /different lengths/],
];

test.each(unusable)('%s cannot be measured: an error, with the reason', (_, change, reason) => {
  const report = judgeBinary({ ...binaryTable(1, 100), ...change });
  expect(report.outcome).toBe('error');
  expect(report.decidedBy).toMatch(reason);
  expect(renderReport(report)).toContain(report.decidedBy);
});

test('the verdict follows the interval and the margin', () => {
  const at = (low: number, high: number) => ({ low, high, confidence: 0.9, method: '', n: 100 });
  expect(verdictOf('non-inferior', at(0.001, 0.02), 0.009)).toBe('superior');
  expect(verdictOf('non-inferior', at(-0.004, 0.012), 0.009)).toBe('non-inferior');
  expect(verdictOf('non-inferior', at(-0.012, 0.003), 0.009)).toBe('inconclusive');
  expect(verdictOf('non-inferior', at(-0.03, -0.01), 0.009)).toBe('worse');
  expect(verdictOf('superior', at(0.001, 0.02), 0)).toBe('superior');
  expect(verdictOf('superior', at(-0.001, 0.02), 0)).toBe('inconclusive');
  expect(verdictOf('superior', at(0.001, 0.004), 0.005)).toBe('worse');
});

test('groups are kept together and counted', () => {
  const table = regressionTable(1, 200);
  const group = table.id.map((_, i) => `customer-${i % 40}`);
  const report = judgeRegression({ ...table, group });
  expect(report.groups).toBe(40);
  expect(report.metrics[0]?.interval).toMatchObject({ n: 40, method: expect.stringContaining('by group') as string });
});

test('the report prints every metric with its interval, n and seed, beside the trivial predictor', () => {
  const input: JudgeInput = {
    table: binaryTable(6, 171, 3),
    gate: { ...BINARY, floors: [{ metric: 'roc_auc', operator: '>=', threshold: 0.9 }] },
    task: 'binary',
    metrics: ['roc_auc', 'brier'],
    seed: 42,
    draws: 300,
  };
  const text = renderReport(judge(input));
  expect(text).toMatch(/\| roc_auc \| 0\.\d+ \| \[0\.\d+, 0\.\d+\] \| 0\.5 \| DeLong on the logit, n 171 \|/);
  expect(text).toMatch(/\| brier \|.*\[.*\].*n 171, seed 42 \|/);
  expect(text).toContain('majority class');
  expect(text).toMatch(/\| roc_auc >= 0\.9 \| 0\.\d+ \| met/);
});
