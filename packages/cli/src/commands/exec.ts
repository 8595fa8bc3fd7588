import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '@slipway/kit/errors';
import { DATA_OPTION, textOption, type Command, type Io } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { clientEnvironment } from '../local/client-environment.ts';
import { findDataFolder, findProject } from '../local/data-folder.ts';
import { findRunningServer } from '../local/running-server.ts';
import { startLocalServer } from '../local/start.ts';

export const command: Command = {
  name: 'exec',
  summary: 'run a command whose AWS clients talk to the embedded SageMaker',
  passthrough: true,
  options: [DATA_OPTION],
  examples: ['slipway exec -- python train_and_deploy.py', 'slipway exec -- aws sagemaker list-training-jobs'],
  async run(input, io) {
    const [program, ...args] = input.passthrough;
    if (program === undefined) {
      throw new UserError({
        what: 'There is no command to run.',
        next: `Give one after two dashes: ${io.self} exec -- python your_script.py`,
        exitCode: EXIT.usage,
      });
    }
    const dataFolder = findDataFolder(io.cwd, textOption(input, 'data'));
    const running = dataFolder === undefined ? undefined : await findRunningServer(dataFolder);
    if (running !== undefined) return await runProgram(program, args, running.url, io);
    return dataFolder === undefined
      ? await withPrivateFolder((folder) => withOwnServer(folder, program, args, io))
      : await withOwnServer(dataFolder, program, args, io);
  },
};

async function withPrivateFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** A server for the length of the command. It takes the jobs that the command started with it. */
async function withOwnServer(dataFolder: string, program: string, args: readonly string[], io: Io): Promise<number> {
  const server = await startLocalServer({ dataFolder, project: findProject(io.cwd), port: 0 }, io);
  const before = new Set(server.liveJobs());
  try {
    return await runProgram(program, args, server.url, io);
  } finally {
    await server.endJobs(server.liveJobs().filter((job) => !before.has(job)));
    await server.close();
  }
}

async function runProgram(program: string, args: readonly string[], url: string, io: Io): Promise<number> {
  return await new Promise<number>((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', env: clientEnvironment(io.env, url), cwd: io.cwd });
    // A terminal sends Ctrl-C to the program as well; a signal to us alone must be passed on.
    const forward = (): void => void child.kill(io.interrupted.reason === 'SIGINT' ? 'SIGINT' : 'SIGTERM');
    if (!io.interactive) io.interrupted.addEventListener('abort', forward, { once: true });
    child.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'ENOENT'
          ? new UserError({ what: `The command \`${program}\` was not found.`, next: 'Check its name and your PATH.' })
          : error,
      );
    });
    child.once('exit', (code, signal) => {
      io.interrupted.removeEventListener('abort', forward);
      resolve(code ?? 128 + (signal === null ? 1 : constants.signals[signal]));
    });
  });
}
