import { InvalidRequest, type TrainResult } from '@slipway/delivery';
import { UserError } from '@slipway/kit/errors';
import { flagOption, textOption, type Command, type CommandInput, type Io } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { printJson } from '../print/answer.ts';
import { trainReport } from '../print/train-report.ts';
import { PROJECT_OPTIONS, withProject } from '../project/open.ts';

export const command: Command = {
  name: 'train',
  summary: 'train models, judge them on held-out rows against what is live, and register what passes',
  arguments: [{ name: 'model', summary: 'the models (default: all)', optional: true, variadic: true }],
  options: PROJECT_OPTIONS,
  examples: ['slipway train', 'slipway train diabetes --json'],
  async run(input, io) {
    return await withProject(input, io, async ({ project, delivery }) => {
      const known = project.models.map((model) => model.name);
      const models = input.arguments.length === 0 ? known : input.arguments;
      const unknown = models.find((model) => !known.includes(model));
      if (unknown !== undefined)
        throw new InvalidRequest(`There is no model \`${unknown}\`.`, `Use one of: ${known.join(', ')}.`);
      const results: TrainResult[] = [];
      for (const model of models) {
        const result = await delivery.train(model);
        results.push(result);
        if (!flagOption(input, 'json')) io.stdout.write(`${trainReport(result, io)}${nextStep(result, input, io)}`);
      }
      if (flagOption(input, 'json')) printJson(io, 'train', { results });
      return Math.max(...results.map(exitCode));
    });
  },
};

/** What the verdict leaves to a person, as a command that runs from where they stand. */
function nextStep(result: TrainResult, input: CommandInput, io: Io): string {
  const { model, registered, outcome } = result;
  if (registered === undefined) return '  Nothing was registered; what is live goes on.\n';
  const project = textOption(input, 'project');
  const where = project === undefined ? '' : ` --project ${project}`;
  const against = outcome === 'passed' ? '' : ' --override --reason "why"';
  const approve = `${io.self} approve ${model} ${registered.version}${against}${where}`;
  return `\n  Next: ${approve} && ${io.self} apply${where}\n`;
}

/** `error` (could not be judged) is an error; the rest say what the gate said. */
function exitCode(result: TrainResult): number {
  switch (result.outcome) {
    case 'passed':
      return EXIT.done;
    case 'failed':
      return EXIT.gateFailed;
    case 'inconclusive':
    case 'skipped':
      return EXIT.inconclusive;
    case 'error':
      return EXIT.error;
    default:
      throw new UserError({ what: `Unknown outcome ${String(result.outcome)}.` });
  }
}
