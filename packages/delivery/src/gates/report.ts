import type { Difference, GateReport, Interval, MetricEstimate } from './gate.ts';
import { short, signed } from './numbers.ts';

const OUTCOMES = {
  passed: 'passed',
  failed: 'failed',
  error: 'could not be measured',
  inconclusive: 'inconclusive: the rows cannot decide it',
  skipped: 'skipped',
} as const;

/** `[54.1, 63.0]`; with a sign where it is a difference. */
export function intervalText(interval: Interval | undefined, show: (value: number) => string = short): string {
  return interval === undefined ? '' : `[${show(interval.low)}, ${show(interval.high)}]`;
}

/** Cells come from files of the user: a bar or a line end in one would break the table. */
function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`).replaceAll(/\s*[\r\n]+\s*/g, ' ');
}

function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(heading), line(heading.map(() => '---')), ...rows.map(line)].join('\n');
}

function percentText(share: number): string {
  return `${Number((share * 100).toPrecision(4))} %`;
}

function metricRow(estimate: MetricEstimate): string[] {
  const { metric, value, interval, reason, trivial } = estimate;
  return [
    metric,
    value === undefined ? '–' : short(value),
    interval === undefined ? `none: ${reason ?? 'not known'}` : intervalText(interval),
    trivial.value === undefined ? '–' : short(trivial.value),
    interval === undefined
      ? ''
      : `${interval.method}, n ${interval.n}${interval.seed === undefined ? '' : `, seed ${interval.seed}`}`,
  ];
}

function differenceRow(difference: Difference): string[] {
  const { metric, role, champion, challenger, value, interval, reason, rule, margin, verdict, rowsNeeded, pValue } =
    difference;
  const wanted = role === 'informative' ? '' : rule === 'superior' ? `> ${short(margin)}` : `≥ -${short(margin)}`;
  const notes = [
    verdict as string,
    ...(pValue === undefined ? [] : [`McNemar p ${short(pValue)}`]),
    ...(rowsNeeded === undefined ? [] : [`needs about ${rowsNeeded} rows`]),
  ];
  return [
    metric,
    short(champion),
    short(challenger),
    `${signed(value)} ${interval === undefined ? `(none: ${reason ?? 'not known'})` : intervalText(interval, signed)}`,
    wanted,
    notes.join(', '),
  ];
}

function rowsText(report: GateReport): string {
  const parts = [`${report.rows} held-out rows`];
  if (report.groups !== undefined) parts.push(`${report.groups} groups`);
  if (report.rareRows !== undefined) parts.push(`${report.rareRows} of the rarer class`);
  return `${parts.join(', ')}; ${report.draws} bootstrap draws, seed ${report.seed}`;
}

/** The report as Markdown, for a pull request or a terminal. */
export function renderReport(report: GateReport): string {
  const parts = [`## Gate: ${OUTCOMES[report.outcome]}`, report.decidedBy, `${rowsText(report)}.`];
  if (report.notes.length > 0) parts.push(report.notes.map((note) => `- ${note}`).join('\n'));
  if (report.metrics.length > 0) {
    const trivial = report.metrics[0]?.trivial.name ?? 'trivial';
    const heading = ['metric', 'value', '95 % interval', trivial, 'how'];
    parts.push(table(heading, report.metrics.map(metricRow)));
  }
  if (report.differences.length > 0) {
    const level = percentText(report.gate.confidence);
    parts.push(
      `### Against the version in production, on the same rows\n\n` +
        `Differences are turned so that positive is better; each end of an interval is a one-sided ${level} bound.`,
      table(
        ['metric', 'champion', 'challenger', 'difference', 'asked for', 'verdict'],
        report.differences.map(differenceRow),
      ),
    );
  }
  if (report.floors.length > 0) {
    const rows = report.floors.map((floor) => [
      `${floor.metric} ${floor.operator} ${floor.threshold}`,
      floor.value === undefined ? '–' : short(floor.value),
      `${floor.passed ? 'met' : 'missed'}${floor.uncertain ? ' (the interval reaches over it)' : ''}`,
    ]);
    parts.push(table(['floor', 'value', 'result'], rows));
  }
  return `${parts.join('\n\n')}\n`;
}
