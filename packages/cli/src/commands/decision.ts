import type { DecisionResult } from '@slipway/delivery';
import { flagOption, textOption, type CommandInput, type CommandOption, type Io } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { printJson } from '../print/answer.ts';
import { outcomeText } from '../print/train-report.ts';
import { PROJECT_OPTIONS, withProject } from '../project/open.ts';

export const DECISION_OPTIONS: readonly CommandOption[] = [
  ...PROJECT_OPTIONS,
  { name: 'reason', short: 'm', value: 'text', summary: 'why, for the record' },
];

export const DECISION_ARGUMENTS = [
  { name: 'model', summary: 'the model' },
  { name: 'version', summary: 'the version’s number or its ARN' },
] as const;

/** Records one decision on one version. Deciding the same twice changes nothing and is no error. */
export async function decide(kind: 'approve' | 'reject', input: CommandInput, io: Io): Promise<number> {
  const [model = '', version = ''] = input.arguments;
  return await withProject(input, io, async ({ delivery }) => {
    const reason = textOption(input, 'reason');
    const env = textOption(input, 'env');
    const result = await delivery[kind]({
      model,
      version,
      ...(reason === undefined ? {} : { reason }),
      ...(env === undefined ? {} : { env }),
      ...(flagOption(input, 'override') ? { override: true } : {}),
    });
    if (flagOption(input, 'json')) printJson(io, kind, result);
    else io.stdout.write(sentence(result, io));
    return EXIT.done;
  });
}

function sentence(result: DecisionResult, io: Io): string {
  const done = result.kind === 'approve' ? 'approved' : 'rejected';
  const subject = `${result.model} version ${result.version}`;
  if (!result.changed) return `${subject} was ${done} already; nothing was changed.\n`;
  const gate = `gate ${outcomeText(result.gate, io)}`;
  const override = result.override ? ', against the gate' : '';
  return `${subject} is ${done} by ${result.who} (${gate}${override}). \`${io.self} apply\` follows it.\n`;
}
