import { Command as Parser, CommanderError, Option } from 'commander';
import type { Command, CommandInput, Io } from './command.ts';
import { commands, type CommandName } from './commands/index.ts';
import { EXIT } from './exit-codes.ts';
import { printError } from './print/error.ts';

/**
 * Parses a command line and runs its command. Only the module of the named command is loaded, so that `slipway up`
 * does not pay for the delivery half.
 *
 * @returns the exit code
 */
export async function runCommandLine(argv: readonly string[], io: Io): Promise<number> {
  const [first] = argv;
  const isCommand = (name: string | undefined): name is CommandName =>
    name !== undefined && Object.hasOwn(commands, name);
  const names = isCommand(first) ? [first] : (Object.keys(commands) as CommandName[]);
  const definitions = await Promise.all(names.map(async (name) => commands[name]()));
  let exitCode: number = EXIT.done;
  const parser = new Parser('slipway')
    .description(
      'CI/CD for machine-learning models on Amazon SageMaker, with a SageMaker that runs on your own machine',
    )
    .version('0.1.0')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
    })
    .showSuggestionAfterError();
  for (const definition of definitions) {
    parser.addCommand(
      toParser(definition, async (input) => {
        exitCode = await definition.run(input, io);
      }),
    );
  }
  try {
    await parser.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    return printError(error, io, argv.includes('--json'));
  }
}

function toParser(definition: Command, run: (input: CommandInput) => Promise<void>): Parser {
  const parser = new Parser(definition.name).description(definition.summary).exitOverride();
  for (const argument of definition.arguments ?? []) {
    const name = argument.variadic ? `${argument.name}...` : argument.name;
    parser.argument(argument.optional ? `[${name}]` : `<${name}>`, argument.summary);
  }
  if (definition.passthrough) parser.argument('[command...]', 'the command to run, after --').passThroughOptions();
  for (const option of definition.options ?? []) {
    const flags = `${option.short ? `-${option.short}, ` : ''}--${option.name}${option.value ? ` <${option.value}>` : ''}`;
    parser.addOption(new Option(flags, option.summary));
  }
  if (definition.examples?.length) {
    parser.addHelpText('after', `\nExamples:\n${definition.examples.map((example) => `  ${example}\n`).join('')}`);
  }
  return parser.action(async () => {
    const options: Record<string, string | true | undefined> = {};
    for (const option of definition.options ?? []) {
      const value: unknown = parser.getOptionValue(camelCase(option.name));
      if (value === true || typeof value === 'string') options[option.name] = value;
    }
    await run({
      arguments: definition.passthrough ? [] : parser.args,
      options,
      passthrough: definition.passthrough ? parser.args : [],
    });
  });
}

function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
