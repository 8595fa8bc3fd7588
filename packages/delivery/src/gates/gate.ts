import type { Floor, GateConfig } from '../project/model.ts';
import type { Interval } from '../statistics/interval.ts';
import type { MetricName } from '../statistics/metric-names.ts';

export type { Interval };

/** What could not be measured is never good and never bad. */
export type GateOutcome = 'passed' | 'failed' | 'error' | 'inconclusive' | 'skipped';

/**
 * The held-out rows with what each model said about them. All columns have the same length and order.
 * `y`: the truth (0 or 1 for a binary task). Scores are probabilities of class 1, or the predicted number.
 */
export interface PredictionTable {
  id: readonly string[];
  /** Rows of one group are never taken apart by the bootstrap. */
  group?: readonly string[];
  y: Float64Array;
  challenger: Float64Array;
  /** The version in production, scored on these same rows. Absent: there is none yet. */
  champion?: Float64Array;
  /** What a predictor says that knows only the TRAINING rows: the share of class 1, or the mean. */
  trivial: number;
}

export interface MetricEstimate {
  metric: MetricName;
  /** Absent where the metric is not defined on these rows; `reason` says why. */
  value?: number;
  interval?: Interval;
  /** Why there is no interval, or no value. */
  reason?: string;
  /** The same metric of a predictor that ignores the features. */
  trivial: { name: 'majority class' | 'mean'; value?: number };
}

export type Verdict = 'superior' | 'non-inferior' | 'worse' | 'inconclusive';

/** Challenger against champion on the same rows, turned so that positive is better. */
export interface Difference {
  metric: MetricName;
  role: 'primary' | 'guardrail' | 'informative';
  champion: number;
  challenger: number;
  /** Oriented: positive means that the challenger is better. */
  value: number;
  /** Absolute, in the metric's unit. */
  margin: number;
  rule: 'non-inferior' | 'superior';
  verdict: Verdict;
  /** The two-sided interval whose ends are the one-sided bounds of the rule. */
  interval?: Interval;
  reason?: string;
  /** McNemar's exact two-sided p for accuracy and recall. */
  pValue?: number;
  /** Rows at which the rule could be decided, where it was not. */
  rowsNeeded?: number;
}

export interface FloorResult extends Floor {
  value?: number;
  passed: boolean;
  /** The interval reaches over the threshold: the estimate passes (or fails) by luck, perhaps. */
  uncertain: boolean;
}

export interface GateReport {
  schemaVersion: '1';
  outcome: GateOutcome;
  /** One sentence: the rule that decided. */
  decidedBy: string;
  /** Further sentences a reader should know (no champion yet, few rows). */
  notes: string[];
  task: 'regression' | 'binary';
  rows: number;
  groups?: number;
  /** Rows of the rarer class, for a binary task. */
  rareRows?: number;
  seed: number;
  draws: number;
  gate: GateConfig;
  metrics: MetricEstimate[];
  champion?: { metrics: MetricEstimate[] };
  differences: Difference[];
  floors: FloorResult[];
}

/** What `judge` takes. */
export interface JudgeInput {
  table: PredictionTable;
  gate: GateConfig;
  task: 'regression' | 'binary';
  metrics: readonly MetricName[];
  /** Of the bootstrap: the same table and seed give the same report. */
  seed: number;
  /** 2000 unless told. */
  draws?: number;
}
