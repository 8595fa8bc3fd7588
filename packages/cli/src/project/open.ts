import { createDelivery, makeClients, type AwsClients, type Delivery, type DeliveryEvent } from '@slipway/delivery';
import { resolveEnvironment, type LoadedProject, type ResolvedEnvironment } from '@slipway/delivery/project';
import { UserError } from '@slipway/kit/errors';
import { flagOption, textOption, type CommandInput, type CommandOption, type Io, TARGET_OPTIONS } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { paint } from '../print/colour.ts';
import { eventPrinter } from '../print/events.ts';
import { explain, isUnreachable } from './errors.ts';
import { loadCheckedProject, projectFolder } from './load.ts';
import { dataFolderOf, serverOf, shownData, type ServerInUse } from './server.ts';
import { thisProcess } from './this-process.ts';

/** Options of every command that works on a project. */
export const PROJECT_OPTIONS: readonly CommandOption[] = [
  { name: 'project', value: 'folder', summary: 'the project (default: the one around the current folder)' },
  ...TARGET_OPTIONS,
];

export interface OpenProject {
  readonly project: LoadedProject;
  readonly environment: ResolvedEnvironment;
  readonly delivery: Delivery;
  /** The clients of an environment, for what a command shows beyond the delivery half's answers. */
  connect(environment: ResolvedEnvironment): AwsClients;
}

/**
 * Opens the project that the command line names, prints its target, runs `work` on it, and closes what was opened. An
 * environment is reached on the embedded server unless its file says `target: aws`.
 *
 * When the server belonged to another command that ended meanwhile, `work` runs again on one of this process: it finds
 * what is done.
 */
export async function withProject<T>(input: CommandInput, io: Io, work: (open: OpenProject) => Promise<T>): Promise<T> {
  const folder = projectFolder(input, io);
  const project = await loadCheckedProject(folder, io);
  const environment = chooseEnvironment(project, textOption(input, 'env'));
  const onAws =
    environment.target === 'aws' && !flagOption(input, 'local') && textOption(input, 'endpoint-url') === undefined;
  const data = shownData(dataFolderOf(folder, input, io), io);
  for (let attempt = 1; ; attempt += 1) {
    const server = onAws ? undefined : await serverOf(folder, environment, input, io);
    try {
      return await workOn({ project, environment, server }, io, work);
    } catch (error) {
      const left = server?.whose === 'other' && isUnreachable(error) && attempt < SERVERS_MAX;
      if (!left || io.interrupted.aborted) throw explain(error, io, { environment, url: server?.url, data });
      io.stderr.write('! the server of another command ended; going on with one of this command\n');
    } finally {
      await server?.close();
    }
  }
}

/** Servers of other commands that may end under one command. */
const SERVERS_MAX = 3;

async function workOn<T>(
  at: { project: LoadedProject; environment: ResolvedEnvironment; server: ServerInUse | undefined },
  io: Io,
  work: (open: OpenProject) => Promise<T>,
): Promise<T> {
  const { project, environment, server } = at;
  const connections: AwsClients[] = [];
  const connect = (to: ResolvedEnvironment): AwsClients => {
    const clients = connectTo(to, server?.url);
    connections.push(clients);
    return clients;
  };
  const printer = eventPrinter(io);
  const delivery = createDelivery({
    project,
    connect,
    actor: io.user,
    process: thisProcess(),
    onEvent: (event: DeliveryEvent) => printer.show(event),
    signal: io.interrupted,
  });
  try {
    io.stderr.write(`${paint(io.colour).dim(`target: ${await delivery.target(environment.name)}`)}\n`);
    return await work({ project, environment, delivery, connect });
  } finally {
    printer.end();
    delivery.close();
    for (const clients of connections) clients.destroy();
  }
}

/** `--env`, else the only environment, else the one that trains and registers. */
function chooseEnvironment(project: LoadedProject, name: string | undefined): ResolvedEnvironment {
  const known = Object.keys(project.config.environments ?? {});
  const chosen = name ?? (known.length === 1 ? known[0] : project.registry);
  if (chosen === undefined || !known.includes(chosen)) {
    throw new UserError({
      what: `There is no environment \`${chosen ?? ''}\`.`,
      next: `Use one of: ${known.join(', ')}.`,
      exitCode: EXIT.usage,
    });
  }
  return resolveEnvironment(project, chosen);
}

/** On the embedded server the access key id is the account; on AWS the SDK finds the caller's own credentials. */
function connectTo(environment: ResolvedEnvironment, url: string | undefined): AwsClients {
  if (url === undefined) return makeClients({ region: environment.region });
  return makeClients({
    endpointUrl: url,
    region: environment.region,
    credentials: { accessKeyId: environment.account, secretAccessKey: 'local' },
  });
}
