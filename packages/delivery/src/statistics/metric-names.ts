/** What a model predicts. Only `regression` and `binary` have a judge today. */
export type Task = 'regression' | 'binary' | 'multiclass' | 'custom';

export interface MetricFact {
  /** Which direction is better. */
  goal: 'maximize' | 'minimize';
  tasks: readonly Task[];
  /** The name that a person reads. */
  label: string;
}

/**
 * Every metric that Slipway measures itself, under scikit-learn's names. A probability above 0.5 counts as the
 * positive class for accuracy, F1, recall and precision.
 */
export const METRICS = {
  rmse: { goal: 'minimize', tasks: ['regression'], label: 'root mean squared error' },
  mae: { goal: 'minimize', tasks: ['regression'], label: 'mean absolute error' },
  mape: { goal: 'minimize', tasks: ['regression'], label: 'mean absolute percentage error' },
  r2: { goal: 'maximize', tasks: ['regression'], label: 'coefficient of determination' },
  roc_auc: { goal: 'maximize', tasks: ['binary'], label: 'area under the ROC curve' },
  pr_auc: { goal: 'maximize', tasks: ['binary'], label: 'average precision' },
  accuracy: { goal: 'maximize', tasks: ['binary'], label: 'accuracy' },
  f1: { goal: 'maximize', tasks: ['binary'], label: 'F1' },
  recall: { goal: 'maximize', tasks: ['binary'], label: 'recall' },
  precision: { goal: 'maximize', tasks: ['binary'], label: 'precision' },
  brier: { goal: 'minimize', tasks: ['binary'], label: 'Brier score' },
  log_loss: { goal: 'minimize', tasks: ['binary'], label: 'log loss' },
} as const satisfies Record<string, MetricFact>;

export type MetricName = keyof typeof METRICS;

export function isMetricName(name: string): name is MetricName {
  return Object.hasOwn(METRICS, name);
}

/** The metrics that fit a task, in the order reports print them. */
export function metricsOf(task: Task): MetricName[] {
  return (Object.keys(METRICS) as MetricName[]).filter((name) =>
    (METRICS[name].tasks as readonly Task[]).includes(task),
  );
}

/** The metric that decides when a model's file names none. */
export function defaultPrimary(task: Task): MetricName | undefined {
  if (task === 'regression') return 'rmse';
  return task === 'binary' ? 'roc_auc' : undefined;
}
