import { parseDuration } from '@slipway/kit/duration';
import { UserError } from '@slipway/kit/errors';
import { DATA_OPTION, JSON_OPTION, flagOption, textOption, type Command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { findDataFolder } from '../local/data-folder.ts';
import { findRunningServer } from '../local/running-server.ts';

export const command: Command = {
  name: 'clock',
  summary: 'move the running server’s clock forward: `clock advance 7d`',
  arguments: [
    { name: 'action', summary: '`advance`' },
    { name: 'duration', summary: 'how far, for example 90s, 15m, 2h, 7d' },
  ],
  options: [DATA_OPTION, JSON_OPTION],
  examples: ['slipway clock advance 7d'],
  async run(input, io) {
    const [action, duration = ''] = input.arguments;
    if (action !== 'advance') {
      throw new UserError({
        what: `\`clock ${action ?? ''}\` is unknown.`,
        next: `Use ${io.self} clock advance 7d`,
        exitCode: EXIT.usage,
      });
    }
    const ms = parseDuration(duration);
    const dataFolder = findDataFolder(io.cwd, textOption(input, 'data'));
    const running = dataFolder === undefined ? undefined : await findRunningServer(dataFolder);
    if (running === undefined) {
      throw new UserError({
        what: 'No server is running here, so there is no clock to move.',
        next: `Start one with \`${io.self} up\` in another terminal.`,
      });
    }
    const answer = await fetch(`${running.url}/_slipway/clock/advance`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ms }),
    });
    const body = (await answer.json()) as { now?: number; message?: string };
    if (!answer.ok || body.now === undefined) throw new UserError({ what: body.message ?? 'The clock did not move.' });
    const now = new Date(body.now).toISOString();
    io.stdout.write(flagOption(input, 'json') ? `${JSON.stringify({ now })}\n` : `The clock says ${now}.\n`);
    return EXIT.done;
  },
};
