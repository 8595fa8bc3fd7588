import type { GateReport, MetricEstimate } from '../gates/gate.ts';

/** Model Monitor's names where they differ from ours. */
const MONITOR_NAMES: Readonly<Record<string, string>> = { roc_auc: 'auc' };

/**
 * `evaluation.json` in the layout of Model Monitor's statistics (delivery.md, section 6.6), with our interval beside
 * each value. Its readers ignore what they do not know.
 */
export function evaluationFile(report: GateReport): Record<string, unknown> {
  const kind = report.task === 'binary' ? 'binary_classification_metrics' : 'regression_metrics';
  const metrics = report.metrics.flatMap((estimate) =>
    estimate.value === undefined
      ? []
      : [[MONITOR_NAMES[estimate.metric] ?? estimate.metric, measured(estimate, report.rows)] as const],
  );
  return { version: 0, dataset: { item_count: report.rows }, [kind]: Object.fromEntries(metrics) };
}

function measured(estimate: MetricEstimate, rows: number): Record<string, unknown> {
  return {
    value: estimate.value,
    n: rows,
    ...(estimate.interval === undefined ? {} : { confidence_interval: estimate.interval }),
    ...(estimate.trivial.value === undefined ? {} : { trivial: estimate.trivial }),
  };
}
