import { UserError } from '@slipway/kit/errors';
import { DATA_OPTION, textOption, type Command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { clientVariables } from '../local/client-environment.ts';
import { findDataFolder } from '../local/data-folder.ts';
import { findRunningServer } from '../local/running-server.ts';

export const command: Command = {
  name: 'env',
  summary: 'print the variables that point a shell’s AWS clients at the running server',
  options: [DATA_OPTION, { name: 'json', summary: 'print them as one JSON object' }],
  examples: ['eval "$(slipway env)"'],
  async run(input, io) {
    const dataFolder = findDataFolder(io.cwd, textOption(input, 'data'));
    const running = dataFolder === undefined ? undefined : await findRunningServer(dataFolder);
    if (running === undefined) {
      throw new UserError({
        what: 'No server is running here.',
        why: dataFolder === undefined ? `${io.cwd} is in no project.` : `Nothing answers for ${dataFolder}.`,
        next: `Start one with \`${io.self} up\` in another terminal, or use \`${io.self} exec -- COMMAND\`.`,
      });
    }
    const variables = clientVariables(running.url);
    if (input.options['json']) io.stdout.write(`${JSON.stringify(variables)}\n`);
    else for (const [name, value] of Object.entries(variables)) io.stdout.write(`export ${name}=${value}\n`);
    return EXIT.done;
  },
};
