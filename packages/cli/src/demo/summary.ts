import type { ApplyResult } from '@slipway/delivery';
import type { Io } from '../command.ts';
import { paint } from '../print/colour.ts';
import { numberText } from '../print/numbers.ts';
import { table } from '../print/table.ts';
import { outcomeText } from '../print/train-report.ts';
import type { DemoModel } from './compare.ts';
import type { Times } from './times.ts';

interface Story {
  readonly models: readonly DemoModel[];
  readonly applied: ApplyResult;
  /** The project's folder as the user would type it. */
  readonly shown: string;
  readonly times: Times;
  /** The project's own server was running before, and goes on. */
  readonly hadServer: boolean;
  readonly python: { readonly folder: string; readonly standsIn: string };
  readonly io: Io;
}

/** What the demo leaves on the screen: the table, the time, where things are, and what to try next. */
export function summary(story: Story): string {
  const { io, applied, shown, python } = story;
  const { bold, dim } = paint(io.colour);
  const found = story.models.every(({ training }) => training.found) && !applied.changed;
  return [
    found
      ? `\n${bold('Everything was there already')}: this run found the work of an earlier one and changed nothing.\n`
      : '',
    `\n${results(story)}\n`,
    predictions(story),
    `\n${bold('Where the time went')}  ${story.times
      .entries()
      .filter(({ name }) => name !== 'all of the delivery')
      .map(({ name, seconds }) => `${name} ${seconds.toFixed(1)} s`)
      .join(', ')}; ${story.times.totalSeconds().toFixed(1)} s in all\n`,
    `${bold('Image')}   ${python.standsIn}\n`,
    `${bold('Python')}  ${python.folder}\n`,
    `${bold('Server')}  ${story.hadServer ? 'the one that was running here goes on' : `ended with the demo; \`${io.self} up\` in ${shown} runs it again on the same data`}\n`,
    `${bold('Remove')}  rm -rf ${quoted(shown)} ${quoted(python.folder)}   ${dim('(the project with all its data, and the Python environment)')}\n`,
    `\n${bold('Try next')}  change a hyperparameter, train it against the champion, release it if you like it:\n\n`,
    ...nextCommands(story).map((line) => `  ${line}\n`),
  ].join('');
}

function results({ models, applied, io }: Story): string {
  return table(
    [
      { heading: 'model' },
      { heading: 'version', align: 'right' },
      { heading: 'metric' },
      { heading: '95 % interval' },
      { heading: 'trivial', align: 'right' },
      { heading: 'gate' },
      { heading: 'endpoint' },
    ],
    models.map(({ training }) => {
      const { report } = training;
      const primary = report.metrics.find(({ metric }) => metric === report.gate.primary.metric) ?? report.metrics[0];
      const release = applied.models.find(({ model }) => model === training.model);
      return [
        training.model,
        String(training.registered?.version ?? '-'),
        primary === undefined
          ? '-'
          : `${primary.metric} ${primary.value === undefined ? '-' : numberText(primary.value)}`,
        primary?.interval === undefined
          ? (primary?.reason ?? '-')
          : `[${numberText(primary.interval.low)}, ${numberText(primary.interval.high)}] n ${primary.interval.n}`,
        primary?.trivial.value === undefined ? '-' : numberText(primary.trivial.value),
        outcomeText(training.outcome, io),
        release === undefined ? '-' : `${release.endpoint} ${release.target ?? ''} ${release.state}`,
      ];
    }),
  );
}

function predictions({ models, io }: Story): string {
  const { green, red } = paint(io.colour);
  const rows = models.flatMap(({ training, comparison }) =>
    comparison.rows.map((row, index) => [
      training.model,
      row.id,
      numberText(row.truth),
      numberText(comparison.served[index] ?? Number.NaN),
      numberText(comparison.plain[index] ?? Number.NaN),
    ]),
  );
  const verdict = models.every(({ comparison }) => comparison.equal)
    ? green('The endpoint’s predictions equal those of the downloaded artifacts in plain Python, to the last bit.')
    : red('The endpoint’s predictions DIFFER from those of the downloaded artifacts in plain Python.');
  return (
    table(
      [
        { heading: 'held-out row' },
        { heading: 'id', align: 'right' },
        { heading: 'truth', align: 'right' },
        { heading: 'endpoint', align: 'right' },
        { heading: 'plain Python', align: 'right' },
      ],
      rows,
    ) + `${verdict}\n`
  );
}

/** The loop, as printed, from where the user stands. */
function nextCommands({ shown, models, io }: Story): readonly string[] {
  const version = (models.find(({ training }) => training.model === 'diabetes')?.training.registered?.version ?? 1) + 1;
  const project = `--project ${quoted(shown)}`;
  return [
    `sed -i.bak 's/max_depth: 3/max_depth: 2/' ${quoted(`${shown}/models/diabetes/model.yaml`)}`,
    `${io.self} train diabetes ${project}`,
    `${io.self} approve diabetes ${version} ${project} && ${io.self} apply ${project}`,
  ];
}

/** A path as a shell takes it. */
function quoted(path: string): string {
  return /^[\w./@%+=:,-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
