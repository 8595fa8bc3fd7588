import type { Writable, Readable } from 'node:stream';

/** One command is data: the parser, the help and the reference page all come from it. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly arguments?: readonly CommandArgument[];
  readonly options?: readonly CommandOption[];
  /** True when everything after `--` belongs to another program. */
  readonly passthrough?: boolean;
  readonly examples?: readonly string[];
  /** @returns the exit code (see `exit-codes.ts`) */
  run(input: CommandInput, io: Io): Promise<number>;
}

export interface CommandArgument {
  readonly name: string;
  readonly summary: string;
  readonly optional?: boolean;
  readonly variadic?: boolean;
}

export interface CommandOption {
  /** Long name without dashes, for example `endpoint-url`. */
  readonly name: string;
  readonly short?: string;
  /** Name of its value; absent for a switch. */
  readonly value?: string;
  readonly summary: string;
}

/** What the user typed, by the names of the command's definition. */
export interface CommandInput {
  readonly arguments: readonly string[];
  readonly options: Readonly<Record<string, string | true | undefined>>;
  readonly passthrough: readonly string[];
}

/** The world of one command. `main.ts` makes it from the process; nothing else reads the environment. */
export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Colour only on a terminal that has not refused it (NO_COLOR). */
  readonly colour: boolean;
  /** True when stderr is a terminal: progress may be redrawn in place. */
  readonly interactive: boolean;
  readonly columns: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Where things that can be made again are kept (the Python environment). */
  readonly cacheFolder: string;
  /** The user's name, for decisions and releases. */
  readonly user: string;
  /** How the user can call this command again from where they stand, for example `npx slipway`. */
  readonly self: string;
  /** Aborted by the first Ctrl-C. */
  readonly interrupted: AbortSignal;
}

/** Options that many commands share, defined once. */
export const JSON_OPTION: CommandOption = { name: 'json', summary: 'print one JSON document on standard output' };
export const DATA_OPTION: CommandOption = {
  name: 'data',
  value: 'folder',
  summary: 'the data folder (default: .slipway in the project)',
};
export const TARGET_OPTIONS: readonly CommandOption[] = [
  { name: 'env', value: 'name', summary: 'the environment (default: the only one, else the registry)' },
  { name: 'local', summary: 'use the embedded server also for an environment with `target: aws`' },
  { name: 'endpoint-url', value: 'url', summary: 'use the embedded server at this address' },
  DATA_OPTION,
  JSON_OPTION,
];

export function textOption(input: CommandInput, name: string): string | undefined {
  const value = input.options[name];
  return typeof value === 'string' ? value : undefined;
}

export function flagOption(input: CommandInput, name: string): boolean {
  return input.options[name] === true;
}
