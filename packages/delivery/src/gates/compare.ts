import type { ComparisonRule } from '../project/model.ts';
import type { Draws } from '../statistics/bootstrap.ts';
import { normalQuantile } from '../statistics/distributions.ts';
import { differenceInterval } from '../statistics/difference.ts';
import { METRICS } from '../statistics/metric-names.ts';
import { metricOf } from '../statistics/metrics.ts';
import type { Difference, Interval, PredictionTable, Verdict } from './gate.ts';

/** One minus this is the power that "needs about N rows" plans for. */
const POWER = 0.8;

/**
 * The verdict of a rule on an oriented interval (positive is better).
 *
 * Worked example: a champion of 0.90 and `maxRegression: 1%` make the margin 0.009. The interval [-0.004, 0.012] lies
 * above -0.009: non-inferior. [-0.012, 0.003] lies across it: inconclusive. [-0.030, -0.010] lies below: worse.
 *
 * @param margin absolute, in the metric's unit, not negative
 */
export function verdictOf(rule: ComparisonRule['rule'], interval: Interval, margin: number): Verdict {
  const { low, high } = interval;
  if (rule === 'superior') {
    if (low > margin) return 'superior';
    // All of the interval falls short of the improvement that is asked for.
    return high < margin ? 'worse' : 'inconclusive';
  }
  if (low > 0) return 'superior';
  // A difference of exactly nothing, without any spread, is no regression even where none is allowed.
  if (low > -margin || (low === 0 && high === 0)) return 'non-inferior';
  return high < -margin ? 'worse' : 'inconclusive';
}

/** Whether a verdict is what the rule asks for. */
export function satisfies(rule: ComparisonRule['rule'], verdict: Verdict): boolean {
  return verdict === 'superior' || (rule === 'non-inferior' && verdict === 'non-inferior');
}

/**
 * Rows at which the rule would be decided with 80 % power, the spread of these rows given: n (z_conf + z_power)² se² /
 * distance², the normal approximation behind the table in delivery.md, section 5.1. The distance is what must be told
 * apart: the margin if the two were equally good, or the observed gap to the bound where that asks for more.
 */
export function rowsNeeded(
  difference: Pick<Difference, 'value' | 'margin' | 'rule'>,
  interval: Interval,
  rows: number,
  confidence: number,
): number | undefined {
  const z = normalQuantile(confidence);
  const standardError = (interval.high - interval.low) / (2 * z);
  const { value, margin, rule } = difference;
  const gap = rule === 'superior' ? value - margin : value + margin;
  const distances = [Math.abs(gap), ...(rule === 'non-inferior' && margin > 0 ? [margin] : [])];
  const factor = (z + normalQuantile(POWER)) ** 2;
  const needs = distances.map((distance) => (rows * factor * standardError ** 2) / distance ** 2);
  const enough = needs.filter((need) => Number.isFinite(need) && need > rows && need < 1e9);
  if (enough.length === 0) return undefined;
  return roundUp(Math.min(...enough));
}

/** To two significant digits: more would pretend to a precision that the estimate does not have. */
function roundUp(n: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(n)) - 1);
  return Math.ceil(n / unit) * unit;
}

/** Challenger against champion on the same rows, by one rule. */
export function compare(
  rule: ComparisonRule,
  role: Difference['role'],
  table: PredictionTable & { champion: Float64Array },
  how: Draws,
  confidence: number,
): Difference {
  const { metric } = rule;
  const challenger = metricOf(metric, table.y, table.challenger)();
  const champion = metricOf(metric, table.y, table.champion)();
  const sign = METRICS[metric].goal === 'maximize' ? 1 : -1;
  // Adding zero turns a negative zero into a plain one, which prints and compares as people expect.
  const value = sign * (challenger - champion) + 0;
  const margin = rule.margin * Math.abs(champion);
  const base = { metric, role, champion, challenger, value, margin, rule: rule.rule };
  if (!Number.isFinite(value)) {
    return { ...base, verdict: 'inconclusive', reason: 'the metric is not defined for both models on these rows' };
  }
  // The ends of the two-sided interval at 2c - 1 are the two one-sided bounds at c.
  const twoSided = Number((2 * confidence - 1).toFixed(12));
  const [first, second] = sign === 1 ? [table.challenger, table.champion] : [table.champion, table.challenger];
  const result = differenceInterval(metric, table.y, first, second, how, twoSided);
  if ('reason' in result) return degenerate(base, result.reason);
  const verdict = verdictOf(rule.rule, result.interval, margin);
  const needed = verdict === 'inconclusive' ? rowsNeeded(base, result.interval, table.y.length, confidence) : undefined;
  return {
    ...base,
    verdict,
    interval: result.interval,
    ...(result.pValue === undefined ? {} : { pValue: result.pValue }),
    ...(needed === undefined ? {} : { rowsNeeded: needed }),
  };
}

/** Without an interval nothing is decided, however large the difference looks. */
function degenerate(base: Omit<Difference, 'verdict'>, reason: string): Difference {
  return { ...base, verdict: 'inconclusive', reason };
}
