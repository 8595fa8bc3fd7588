import type { ApplyResult } from '@slipway/delivery';
import { flagOption, type Command, type Io } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { printJson } from '../print/answer.ts';
import { paint } from '../print/colour.ts';
import { PROJECT_OPTIONS, withProject } from '../project/open.ts';

export const command: Command = {
  name: 'apply',
  summary: 'release what the newest decisions say, and nothing else',
  arguments: [{ name: 'model', summary: 'the models (default: all)', optional: true, variadic: true }],
  options: PROJECT_OPTIONS,
  examples: ['slipway apply', 'slipway apply diabetes --env sandbox'],
  async run(input, io) {
    return await withProject(input, io, async ({ delivery, environment }) => {
      const models = input.arguments;
      const result = await delivery.apply({ env: environment.name, ...(models.length === 0 ? {} : { models }) });
      if (flagOption(input, 'json')) printJson(io, 'apply', result);
      else io.stdout.write(sentences(result, io));
      return exitCode(result);
    });
  },
};

/** 4 says that nothing could be done although something waits for a person. */
function exitCode(result: ApplyResult): number {
  if (result.changed) return result.models.some((model) => model.state === 'blocked') ? EXIT.blocked : EXIT.done;
  return result.models.some((model) => model.state === 'blocked' || model.state === 'waiting')
    ? EXIT.blocked
    : EXIT.done;
}

function sentences(result: ApplyResult, io: Io): string {
  const { green, yellow, dim } = paint(io.colour);
  return result.models
    .map((model) => {
      const live = model.live === undefined ? 'nothing live' : `version ${model.live.version} live`;
      const mark =
        model.state === 'released'
          ? green('released')
          : model.state === 'unchanged'
            ? dim('unchanged')
            : yellow(model.state);
      return `${model.model}  ${mark}  ${live} on ${model.endpoint}  ${dim(model.reason)}\n`;
    })
    .join('')
    .concat(waitingHint(result, io));
}

function waitingHint(result: ApplyResult, io: Io): string {
  const waiting = result.models.filter(({ state }) => state === 'waiting' || state === 'blocked');
  if (waiting.length === 0) return '';
  return (
    `\nWhat waits needs a decision: see \`${io.self} status\`, ` +
    `then ${waiting.map(({ model }) => `\`${io.self} approve ${model} VERSION\``).join(', ')}.\n`
  );
}
