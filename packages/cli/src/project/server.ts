import { join, relative, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ResolvedEnvironment } from '@slipway/delivery/project';
import { UserError } from '@slipway/kit/errors';
import { LockHeld } from '@slipway/kit/lock';
import { textOption, type CommandInput, type Io } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { findDataFolder } from '../local/data-folder.ts';
import { findRunningServer, isAnswering } from '../local/running-server.ts';
import { startLocalServer } from '../local/start.ts';
import { unreachable } from './errors.ts';

/** The embedded server that a command works on. */
export interface ServerInUse {
  readonly url: string;
  /** Whose it is: named by the user, of another process on the project's data, or of this command. */
  readonly whose: 'named' | 'other' | 'own';
  close(): Promise<void>;
}

const LOOK_AGAIN_MS = 150;
/** A server that starts answers within a second or two; past this the holder of the lock is doing something else. */
const LOOKS_MAX = 200;

/**
 * The server at `--endpoint-url` or `endpointUrl`, else the one that runs on the project's data, else one of this
 * process. Two commands at once on one project share the server of the one that was first.
 */
export async function serverOf(
  folder: string,
  environment: ResolvedEnvironment,
  input: CommandInput,
  io: Io,
): Promise<ServerInUse> {
  const named = textOption(input, 'endpoint-url') ?? environment.endpointUrl;
  if (named !== undefined) {
    const url = checkedUrl(named, io);
    // Once at the start, so that a wrong address is told at once; later requests are retried while a server restarts.
    if (!(await isAnswering(url))) throw unreachable(url, io);
    return { url, whose: 'named', close: async () => {} };
  }
  const dataFolder = dataFolderOf(folder, input, io);
  for (let look = 1; ; look += 1) {
    const running = await findRunningServer(dataFolder);
    if (running !== undefined) return { url: running.url, whose: 'other', close: async () => {} };
    try {
      const server = await startLocalServer({ dataFolder, project: folder, port: 0 }, io);
      return { url: server.url, whose: 'own', close: async () => await server.close() };
    } catch (error) {
      if (!(error instanceof LockHeld) || look === LOOKS_MAX || io.interrupted.aborted) throw error;
      // Another command has the data and does not answer yet, or does not answer any more.
      await pause(LOOK_AGAIN_MS);
    }
  }
}

export function dataFolderOf(project: string, input: CommandInput, io: Io): string {
  const named = textOption(input, 'data');
  return named === undefined ? join(project, '.slipway') : resolve(io.cwd, named);
}

/** As the user would type it; undefined where `exec` and `env` find the data folder without being told. */
export function shownData(dataFolder: string, io: Io): string | undefined {
  return findDataFolder(io.cwd, undefined) === dataFolder ? undefined : relative(io.cwd, dataFolder);
}

function checkedUrl(text: string, io: Io): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return text.replace(/\/+$/, '');
  throw new UserError({
    what: `\`${text}\` is not the address of a server.`,
    next: `Give one like http://127.0.0.1:4570 (\`${io.self} up\` prints it).`,
    exitCode: EXIT.usage,
  });
}
