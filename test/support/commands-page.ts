import type { Command } from '../../packages/cli/src/command.ts';
import { commands, type CommandName } from '../../packages/cli/src/commands/index.ts';
import { EXIT } from '../../packages/cli/src/exit-codes.ts';

const MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  done: 'done, or nothing to do',
  error: 'error; the message says what happened, why, and what to do next',
  gateFailed: '`train`: the gate said no, nothing was registered',
  blocked: '`apply`: something waits for a person, and nothing could be done',
  rolledBack: '`apply`: the update was taken back; what served before still serves',
  leaseHeld: 'another command is changing the same endpoint; run again later',
  inconclusive: '`train`: not enough evidence; a version is registered with that outcome',
  usage: 'wrong usage, or an invalid file',
  interrupted: 'interrupted; the work goes on, and the same command takes it up',
};

const VARIABLES = [
  ['SLIPWAY_CACHE', 'the folder for what can be made again (default: `~/.cache/slipway`)'],
  ['SLIPWAY_PYTHON', 'the Python that the job environment is made from (default: the first usable one on PATH)'],
  ['SLIPWAY_ISOLATION', 'how a job gets its `/opt/ml`: `auto`, `namespace` or `folder`'],
  ['SLIPWAY_USER', 'who decides, for the record (default: the name of your account on this machine)'],
  ['SLIPWAY_LOG', 'how much the embedded server says on standard error: `error` (default), `warn`, `info`, `debug`'],
  ['NO_COLOR', 'no colour, also on a terminal'],
] as const;

/** The reference page of the command line, made from the commands' own definitions. */
export async function commandsPage(): Promise<string> {
  const definitions = await Promise.all(
    (Object.keys(commands) as CommandName[]).map(async (name) => await commands[name]()),
  );
  const codes = (Object.keys(EXIT) as (keyof typeof EXIT)[]).map((name) => `| ${EXIT[name]} | ${MEANINGS[name]} |`);
  return [
    '# Commands',
    '',
    'Made from the commands’ definitions by `npm run commands`; do not edit.',
    '',
    '## Exit codes',
    '',
    '| Code | Meaning |',
    '|---|---|',
    ...codes,
    '',
    '## Variables',
    '',
    '| Variable | What it sets |',
    '|---|---|',
    ...VARIABLES.map(([name, meaning]) => `| \`${name}\` | ${meaning} |`),
    '',
    ...definitions.flatMap(section),
  ].join('\n');
}

function section(command: Command): readonly string[] {
  const words = (command.arguments ?? []).map(({ name, optional, variadic }) => {
    const word = `${name}${variadic ? '...' : ''}`;
    return optional ? `[${word}]` : `<${word}>`;
  });
  const usage = ['slipway', command.name, ...words, ...(command.passthrough ? ['--', 'COMMAND...'] : [])].join(' ');
  const rows = [
    ...(command.arguments ?? []).map(({ name, summary }) => `| \`${name}\` | ${cell(summary)} |`),
    ...(command.options ?? []).map(({ name, short, value, summary }) => {
      const flag = `${short ? `-${short}, ` : ''}--${name}${value ? ` <${value}>` : ''}`;
      return `| \`${flag}\` | ${cell(summary)} |`;
    }),
  ];
  return [
    `## ${command.name}`,
    '',
    `${command.summary[0]?.toUpperCase()}${command.summary.slice(1)}.`,
    '',
    '```sh',
    usage,
    ...(command.examples ?? []).map((example) => `# ${example}`),
    '```',
    '',
    ...(rows.length === 0 ? [] : ['| Argument or option | |', '|---|---|', ...rows, '']),
  ];
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
