import type { ComparisonRule, GateConfig } from '../project/model.ts';
import type { Draws } from '../statistics/bootstrap.ts';
import { METRICS, type MetricName } from '../statistics/metric-names.ts';
import { compare, satisfies } from './compare.ts';
import type {
  Difference,
  FloorResult,
  GateOutcome,
  GateReport,
  JudgeInput,
  MetricEstimate,
  PredictionTable,
} from './gate.ts';
import { clustersOf, measure } from './measure.ts';
import { short, signed } from './numbers.ts';

const DRAWS = 2000;
/** The least number of the rarer class, where `minRows` is the default of 500; in proportion below that. */
const RARE_ROWS = 50;
const INFORMATIVE_MARGIN = 0.01;

type Decision = { outcome: GateOutcome; decidedBy: string };

/**
 * Judges a challenger on held-out rows, against the champion on the same rows where there is one.
 *
 * In this order: what cannot be measured is an `error`; too few rows are `inconclusive`; a floor that is missed, or a
 * primary metric or guardrail that is worse than its margin allows, is `failed`; a comparison that the rows cannot decide
 * is `inconclusive`; the rest has `passed`. Deterministic: the same input gives the same report.
 */
export function judge(given: JudgeInput): GateReport {
  const input = { ...given, metrics: measuredMetrics(given) };
  const { table, gate, task, seed } = input;
  const draws = input.draws ?? DRAWS;
  const rows = table.y.length;
  const clusters = clustersOf(table.group);
  const ones = table.y.reduce((sum, value) => sum + value, 0);
  const base = {
    schemaVersion: '1' as const,
    task,
    rows,
    ...(clusters === undefined ? {} : { groups: new Set(clusters).size }),
    ...(task === 'binary' ? { rareRows: Math.min(ones, rows - ones) } : {}),
    seed,
    draws,
    gate,
  };
  const trouble = unusable(input);
  if (trouble !== undefined) {
    return { ...base, outcome: 'error', decidedBy: trouble, notes: [], metrics: [], differences: [], floors: [] };
  }
  const how: Draws = { draws, seed, rows, ...(clusters === undefined ? {} : { clusters }) };
  const metrics = measure(task, input.metrics, table, table.challenger, how);
  const floors = gate.floors.map((floor) => floorResult(floor, metrics));
  const differences = differencesOf(input, how);
  const champion =
    table.champion === undefined
      ? {}
      : { champion: { metrics: measure(task, input.metrics, table, table.champion, how) } };
  const found = { metrics, floors, differences, rareRows: base.rareRows };
  return {
    ...base,
    ...decide(gate, table, found),
    notes: notesOf(table, gate, found),
    metrics,
    ...champion,
    differences,
    floors,
  };
}

/** What is asked for, and whatever the gate looks at. */
function measuredMetrics({ gate, metrics }: JudgeInput): MetricName[] {
  const looked = [...gate.floors, ...gate.guardrails].map(({ metric }) => metric);
  return [...new Set([gate.primary.metric, ...metrics, ...looked])];
}

/** Why the table cannot be judged at all. */
function unusable({ table, task }: JudgeInput): string | undefined {
  const rows = table.y.length;
  if (rows === 0) return 'There are no held-out rows.';
  const columns = [table.challenger, ...(table.champion === undefined ? [] : [table.champion])];
  if (columns.some((column) => column.length !== rows) || (table.group !== undefined && table.group.length !== rows)) {
    return 'The columns of the predictions have different lengths.';
  }
  if (!table.y.every(Number.isFinite)) return 'A label of the held-out rows is not a finite number.';
  if (!table.challenger.every(Number.isFinite)) return 'A prediction of the new model is not a finite number.';
  if (table.champion !== undefined && !table.champion.every(Number.isFinite)) {
    return 'A prediction of the version in production is not a finite number.';
  }
  if (!Number.isFinite(table.trivial)) return 'What a trivial predictor says is not a finite number.';
  if (task !== 'binary') return undefined;
  if (!table.y.every((value) => value === 0 || value === 1)) return 'A label of the held-out rows is neither 0 nor 1.';
  if (table.y.every((value) => value === table.y[0])) {
    return `All ${rows} held-out rows are of class ${table.y[0]}: with one class nothing can be told apart.`;
  }
  if (!columns.every((column) => column.every((value) => value >= 0 && value <= 1))) {
    return 'A prediction is not a probability between 0 and 1, as a binary task needs.';
  }
  return undefined;
}

const COMPARE = {
  '<': (a: number, b: number) => a < b,
  '<=': (a: number, b: number) => a <= b,
  '>': (a: number, b: number) => a > b,
  '>=': (a: number, b: number) => a >= b,
};

/** A floor compares the estimate itself; whether the interval reaches over the threshold is said beside it. */
function floorResult(floor: GateConfig['floors'][number], metrics: readonly MetricEstimate[]): FloorResult {
  const estimate = metrics.find(({ metric }) => metric === floor.metric);
  const value = estimate?.value;
  if (value === undefined) return { ...floor, passed: false, uncertain: true };
  const meets = COMPARE[floor.operator];
  const passed = meets(value, floor.threshold);
  const ends = estimate?.interval === undefined ? [] : [estimate.interval.low, estimate.interval.high];
  return { ...floor, value, passed, uncertain: ends.some((end) => meets(end, floor.threshold) !== passed) };
}

function differencesOf({ table, gate, metrics, task }: JudgeInput, how: Draws): Difference[] {
  const { champion } = table;
  if (champion === undefined) return [];
  const paired = { ...table, champion };
  const judged = new Set([gate.primary.metric, ...gate.guardrails.map(({ metric }) => metric)]);
  const informative: ComparisonRule[] = metrics
    .filter((metric) => !judged.has(metric) && (METRICS[metric].tasks as readonly string[]).includes(task))
    .map((metric) => ({ metric, rule: 'non-inferior', margin: INFORMATIVE_MARGIN }));
  const of = (rule: ComparisonRule, role: Difference['role']): Difference =>
    compare(rule, role, paired, how, gate.confidence);
  return [
    of(gate.primary, 'primary'),
    ...gate.guardrails.map((rule) => of(rule, 'guardrail')),
    ...informative.map((rule) => of(rule, 'informative')),
  ];
}

interface Found {
  metrics: readonly MetricEstimate[];
  floors: readonly FloorResult[];
  differences: readonly Difference[];
  rareRows: number | undefined;
}

function decide(gate: GateConfig, table: PredictionTable, found: Found): Decision {
  const { primary } = gate;
  const estimate = found.metrics.find(({ metric }) => metric === primary.metric);
  if (estimate?.value === undefined) {
    const why = estimate?.reason ?? 'it was not measured';
    return { outcome: 'error', decidedBy: `${primary.metric} has no value: ${why}.` };
  }
  const missing = found.floors.find(({ value }) => value === undefined);
  if (missing !== undefined) {
    return { outcome: 'error', decidedBy: `The floor on ${missing.metric} has nothing to compare: it has no value.` };
  }
  return tooFewRows(gate, table, found) ?? byFloors(found) ?? byChampion(found) ?? byTrivial(estimate, gate, found);
}

function tooFewRows(gate: GateConfig, table: PredictionTable, found: Found): Decision | undefined {
  const rows = table.y.length;
  if (rows < gate.minRows) {
    return { outcome: 'inconclusive', decidedBy: `minRows: ${rows} held-out rows, ${gate.minRows} are asked for.` };
  }
  const rare = Math.min(RARE_ROWS, Math.ceil(gate.minRows / 10));
  if (found.rareRows !== undefined && found.rareRows < rare) {
    const decidedBy = `minRows: ${found.rareRows} held-out rows of the rarer class, ${rare} are asked for.`;
    return { outcome: 'inconclusive', decidedBy };
  }
  return undefined;
}

function byFloors(found: Found): Decision | undefined {
  const missed = found.floors.filter(({ passed }) => !passed);
  if (missed.length === 0) return undefined;
  const list = missed.map((f) => `${f.metric} ${short(f.value ?? Number.NaN)} is not ${f.operator} ${f.threshold}`);
  return { outcome: 'failed', decidedBy: `floor: ${list.join('; ')}.` };
}

function byChampion({ differences }: Found): Decision | undefined {
  const judged = differences.filter(({ role }) => role !== 'informative');
  if (judged.length === 0) return undefined;
  const worse = judged.find(({ verdict }) => verdict === 'worse');
  if (worse !== undefined) return { outcome: 'failed', decidedBy: sentence(worse) };
  const open = judged.find(({ rule, verdict }) => !satisfies(rule, verdict));
  if (open !== undefined) return { outcome: 'inconclusive', decidedBy: sentence(open) };
  return { outcome: 'passed', decidedBy: sentence(judged[0] as Difference) };
}

/** Nothing is in production: floors decide, and where none is set, being better than no model at all. */
function byTrivial(estimate: MetricEstimate, gate: GateConfig, { floors }: Found): Decision {
  if (floors.length > 0) {
    const list = floors
      .map((f) => `${f.metric} ${short(f.value ?? Number.NaN)} ${f.operator} ${f.threshold}`)
      .join('; ');
    return { outcome: 'passed', decidedBy: `floor: ${list} (no champion yet).` };
  }
  const { value = Number.NaN, trivial, metric } = estimate;
  const sign = METRICS[metric].goal === 'maximize' ? 1 : -1;
  const better = trivial.value === undefined || sign * (value - trivial.value) > 0;
  const against = `${metric} ${short(value)} against ${short(trivial.value ?? Number.NaN)} of the ${trivial.name}`;
  const decidedBy = `${gate.primary.metric}: no champion and no floor; ${against}.`;
  return { outcome: better ? 'passed' : 'failed', decidedBy };
}

function sentence(difference: Difference): string {
  const { role, metric, verdict, rule, interval, reason, rowsNeeded } = difference;
  const margin = short(difference.margin);
  const wanted = rule === 'superior' ? `better by more than ${margin}` : `at most ${margin} worse`;
  const range =
    interval === undefined ? (reason ?? 'no interval') : `[${signed(interval.low)}, ${signed(interval.high)}]`;
  const needs = rowsNeeded === undefined ? '' : `; needs about ${rowsNeeded} rows`;
  return `${role} ${metric}: ${verdict}, ${signed(difference.value)} ${range}, asked for ${wanted}${needs}.`;
}

function notesOf(table: PredictionTable, gate: GateConfig, found: Found): string[] {
  const notes: string[] = [];
  if (table.champion === undefined) {
    notes.push('No version is in production yet, so there is no champion to compare with: the floors decide.');
    if (gate.floors.length === 0) notes.push('No floor is set: the model only has to beat the trivial predictor.');
  }
  for (const floor of found.floors.filter(({ uncertain, value }) => uncertain && value !== undefined)) {
    const side = floor.passed ? 'meets' : 'misses';
    notes.push(`${floor.metric} ${side} its floor, but its interval reaches over ${floor.threshold}.`);
  }
  for (const { metric, value, trivial } of found.metrics) {
    if (metric !== gate.primary.metric || value === undefined || trivial.value === undefined) continue;
    const sign = METRICS[metric].goal === 'maximize' ? 1 : -1;
    if (sign * (value - trivial.value) <= 0) notes.push(`${metric} is no better than that of the ${trivial.name}.`);
  }
  return notes;
}
