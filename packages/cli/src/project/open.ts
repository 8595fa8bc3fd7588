import { join } from 'node:path';
import { createDelivery, makeClients, type AwsClients, type Delivery, type DeliveryEvent } from '@slipway/delivery';
import { resolveEnvironment, type LoadedProject, type ResolvedEnvironment } from '@slipway/delivery/project';
import { UserError } from '@slipway/kit/errors';
import { flagOption, textOption, type CommandInput, type CommandOption, type Io, TARGET_OPTIONS } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { findRunningServer } from '../local/running-server.ts';
import { startLocalServer } from '../local/start.ts';
import { paint } from '../print/colour.ts';
import { eventPrinter } from '../print/events.ts';
import { explain } from './errors.ts';
import { loadCheckedProject, projectFolder } from './load.ts';
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
 * environment is reached on the embedded server unless its file says `target: aws`: on the project's running server,
 * else on one of this process, on the project's data.
 */
export async function withProject<T>(input: CommandInput, io: Io, work: (open: OpenProject) => Promise<T>): Promise<T> {
  const folder = projectFolder(input, io);
  const project = await loadCheckedProject(folder, io);
  const environment = chooseEnvironment(project, textOption(input, 'env'));
  const onAws =
    environment.target === 'aws' && !flagOption(input, 'local') && textOption(input, 'endpoint-url') === undefined;
  const server = onAws ? undefined : await localAddress(folder, environment, input, io);
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
  } catch (error) {
    throw explain(error, io);
  } finally {
    printer.end();
    delivery.close();
    for (const clients of connections) clients.destroy();
    await server?.close();
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

async function localAddress(
  folder: string,
  environment: ResolvedEnvironment,
  input: CommandInput,
  io: Io,
): Promise<{ url: string; close(): Promise<void> }> {
  const named = textOption(input, 'endpoint-url') ?? environment.endpointUrl;
  const leaveIt = async (): Promise<void> => {};
  if (named !== undefined) return { url: checkedUrl(named), close: leaveIt };
  const dataFolder = textOption(input, 'data') ?? join(folder, '.slipway');
  const running = await findRunningServer(dataFolder);
  if (running !== undefined) return { url: running.url, close: leaveIt };
  return await startLocalServer({ dataFolder, project: folder, port: 0 }, io);
}

function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return text.replace(/\/+$/, '');
  throw new UserError({
    what: `\`${text}\` is not the address of a server.`,
    next: 'Give one like http://127.0.0.1:4570 (`slipway up` prints it).',
    exitCode: EXIT.usage,
  });
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
