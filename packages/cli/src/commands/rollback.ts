import { flagOption, textOption, type Command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { printJson } from '../print/answer.ts';
import { PROJECT_OPTIONS, withProject } from '../project/open.ts';

export const command: Command = {
  name: 'rollback',
  summary: 'release the previous healthy version; nothing moves again until someone approves',
  arguments: [{ name: 'model', summary: 'the model' }],
  options: [
    ...PROJECT_OPTIONS,
    { name: 'to', value: 'version', summary: 'a version released there before (default: the previous healthy one)' },
    { name: 'reason', short: 'm', value: 'text', summary: 'why, for the record' },
  ],
  examples: ['slipway rollback diabetes', 'slipway rollback diabetes --to 1 -m "worse in the north"'],
  async run(input, io) {
    const [model = ''] = input.arguments;
    const to = textOption(input, 'to');
    const reason = textOption(input, 'reason');
    return await withProject(input, io, async ({ delivery, environment }) => {
      const result = await delivery.rollback({
        model,
        env: environment.name,
        ...(to === undefined ? {} : { to }),
        ...(reason === undefined ? {} : { reason }),
      });
      if (flagOption(input, 'json')) printJson(io, 'rollback', result);
      else if (!result.changed)
        io.stdout.write(`${model} serves version ${result.to.version} already; nothing was changed.\n`);
      else {
        io.stdout.write(
          `${model} is back on version ${result.to.version} (from ${result.from.version}) on ${result.endpoint}. ` +
            `It stays there until someone approves a version again.\n`,
        );
      }
      return EXIT.done;
    });
  },
};
