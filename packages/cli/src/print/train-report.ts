import type { GateOutcome, TrainResult } from '@slipway/delivery';
import type { Io } from '../command.ts';
import { paint } from './colour.ts';
import { intervalText, numberText } from './numbers.ts';
import { table } from './table.ts';

/** What a person reads after a training run: the verdict, each metric beside a trivial predictor, and what comes next. */
export function trainReport(result: TrainResult, io: Io): string {
  const { bold, dim } = paint(io.colour);
  const { report } = result;
  const version = result.registered === undefined ? 'not registered' : `version ${result.registered.version}`;
  const found = result.found ? dim(' (found: an earlier run did all of this)') : '';
  const rows = report.metrics.map((metric) => [
    metric.metric,
    metric.value === undefined ? '-' : numberText(metric.value),
    metric.interval === undefined ? `none: ${metric.reason ?? 'not computed'}` : intervalText(metric.interval),
    metric.trivial.value === undefined ? '-' : `${numberText(metric.trivial.value)} (${metric.trivial.name})`,
  ]);
  const differences = report.differences.map((difference) => [
    difference.metric,
    numberText(difference.champion),
    numberText(difference.challenger),
    difference.interval === undefined ? (difference.reason ?? '-') : intervalText(difference.interval),
    difference.verdict,
  ]);
  return [
    `\n${bold(result.model)}  ${outcomeText(result.outcome, io)}  ${version}${found}\n`,
    `  ${report.decidedBy}\n`,
    ...report.notes.map((note) => `  ${note}\n`),
    '\n',
    indent(
      table(
        [
          { heading: 'metric' },
          { heading: 'value', align: 'right' },
          { heading: '95 % interval' },
          { heading: 'trivial' },
        ],
        rows,
      ),
    ),
    ...(differences.length === 0
      ? []
      : [
          `\n  Against the champion (version ${result.champion?.version ?? '?'}) on the same ${report.rows} rows; positive is better:\n\n`,
          indent(
            table(
              [
                { heading: 'metric' },
                { heading: 'champion', align: 'right' },
                { heading: 'challenger', align: 'right' },
                { heading: 'difference' },
                { heading: 'verdict' },
              ],
              differences,
            ),
          ),
        ]),
    dim(`  report ${result.evidence.reportText}\n`),
    ...(result.registered === undefined ? [] : [dim(`  ${result.registered.arn}\n`)]),
  ].join('');
}

/** An outcome in its colour. */
export function outcomeText(outcome: GateOutcome, io: Io): string {
  const { green, red, yellow } = paint(io.colour);
  if (outcome === 'passed') return green(outcome);
  return outcome === 'failed' || outcome === 'error' ? red(outcome) : yellow(outcome);
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}
