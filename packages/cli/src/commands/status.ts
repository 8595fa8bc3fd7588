import type { ModelStatus, StatusResult } from '@slipway/delivery';
import { flagOption, textOption, type Command, type Io } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { printJson } from '../print/answer.ts';
import { paint } from '../print/colour.ts';
import { table } from '../print/table.ts';
import { outcomeText } from '../print/train-report.ts';
import { PROJECT_OPTIONS, withProject } from '../project/open.ts';

export const command: Command = {
  name: 'status',
  summary: 'show each model: its versions, what is approved, what is live, what the next apply would do',
  arguments: [{ name: 'model', summary: 'the models (default: all)', optional: true, variadic: true }],
  options: PROJECT_OPTIONS,
  async run(input, io) {
    return await withProject(input, io, async ({ delivery }) => {
      const env = textOption(input, 'env');
      const result = await delivery.status({
        ...(input.arguments.length === 0 ? {} : { models: input.arguments }),
        ...(env === undefined ? {} : { env }),
      });
      if (flagOption(input, 'json')) printJson(io, 'status', result);
      else io.stdout.write(matrix(result, io));
      return EXIT.done;
    });
  },
};

function matrix(result: StatusResult, io: Io): string {
  const environments = [...new Set(result.models.flatMap((model) => model.environments.map(({ env }) => env)))];
  const columns = [
    { heading: 'model' },
    { heading: 'newest' },
    { heading: 'gate' },
    { heading: 'approval' },
    ...environments.map((env) => ({ heading: env })),
    { heading: 'next apply' },
  ];
  return table(
    columns,
    result.models.map((model) => row(model, environments, io)),
  );
}

function row(model: ModelStatus, environments: readonly string[], io: Io): readonly string[] {
  const { dim } = paint(io.colour);
  const { newest } = model;
  const live = environments.map((name) => {
    const environment = model.environments.find(({ env }) => env === name);
    if (environment === undefined) return dim('not served');
    return environment.live === undefined
      ? environment.health === 'Absent'
        ? dim('nothing')
        : `nothing (${environment.health})`
      : `v${environment.live.version} ${environment.health}`;
  });
  const next = model.environments
    .filter((environment) => environment.next.state !== 'none')
    .map(
      ({ env, next: { state, to, reason } }) =>
        `${env}: ${state}${to === undefined ? '' : ` v${to.version}`}, ${reason}`,
    );
  return [
    model.model,
    newest === undefined ? dim('none registered') : `v${newest.version}`,
    newest === undefined ? '-' : newest.gate === 'unknown' ? 'unknown' : outcomeText(newest.gate, io),
    newest?.approval ?? '-',
    ...live,
    next.join('; ') || dim('nothing'),
  ];
}
