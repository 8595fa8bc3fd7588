import { join } from 'node:path';
import { UserError } from '@slipway/kit/errors';
import { DATA_OPTION, textOption, type Command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { findDataFolder, findProject } from '../local/data-folder.ts';
import { isolationOf, startLocalServer, timingOf } from '../local/start.ts';
import { paint } from '../print/colour.ts';

/** What clients find without asking; any free one is taken when it is in use and none was asked for. */
const DEFAULT_PORT = 4570;

export const command: Command = {
  name: 'up',
  summary: 'run the embedded SageMaker until Ctrl-C',
  options: [
    {
      name: 'port',
      value: 'number',
      summary: `the port to listen on (default: ${DEFAULT_PORT}; 0 takes any free one)`,
    },
    { name: 'host', value: 'address', summary: 'the address to listen on (default: 127.0.0.1; only loopback for now)' },
    {
      name: 'isolation',
      value: 'kind',
      summary:
        'how a job gets its /opt/ml: auto, namespace (a private mount) or folder (through SM_* variables); also SLIPWAY_ISOLATION',
    },
    {
      name: 'timing',
      value: 'kind',
      summary: 'how quickly states pass that take minutes on AWS: instant (default), quick or lifelike',
    },
    DATA_OPTION,
  ],
  examples: ['slipway up', 'slipway up --port 4570 --data ~/sagemaker'],
  async run(input, io) {
    const project = findProject(io.cwd);
    const isolation = textOption(input, 'isolation');
    const timing = textOption(input, 'timing');
    const dataFolder = findDataFolder(io.cwd, textOption(input, 'data')) ?? join(io.cwd, '.slipway');
    const server = await startLocalServer(
      {
        dataFolder,
        project,
        port: parsePort(textOption(input, 'port')),
        ...(isolation === undefined ? {} : { isolation: isolationOf(isolation, '--isolation') }),
        ...(timing === undefined ? {} : { timing: timingOf(timing, '--timing') }),
        ...(textOption(input, 'host') === undefined ? {} : { host: textOption(input, 'host') as string }),
      },
      io,
    );
    const { bold, dim } = paint(io.colour);
    io.stdout.write(
      `${bold('Slipway')} serves SageMaker, SageMaker Runtime, S3, STS, IAM and CloudWatch Logs on ${bold(server.url)}\n` +
        `  data     ${dataFolder}\n` +
        `  account  000000000000 in us-east-1 (a 12-digit access key id chooses another account)\n` +
        `  clients  eval "$(${io.self} env${project === undefined ? ` --data ${dataFolder}` : ''})"\n` +
        dim('Ctrl-C stops it; training and processing jobs go on and the next `up` takes them up.\n'),
    );
    await untilInterrupted(io.interrupted);
    const jobs = server.liveJobs();
    await server.close();
    io.stdout.write(
      jobs.length === 0
        ? '\nStopped. Nothing was running.\n'
        : `\nStopped. ${jobs.length} job${jobs.length === 1 ? '' : 's'} still running: ${jobs.join(', ')}\n` +
            `The next \`${io.self} up\` on this data folder takes ${jobs.length === 1 ? 'it' : 'them'} up.\n`,
    );
    return EXIT.done;
  },
};

function parsePort(text: string | undefined): number {
  if (text === undefined) return DEFAULT_PORT;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535 && text.trim() !== '') return port;
  throw new UserError({
    what: `--port ${text} is not a port.`,
    next: 'Give a number from 0 to 65535; 0 takes any free port.',
    exitCode: EXIT.usage,
  });
}

async function untilInterrupted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
