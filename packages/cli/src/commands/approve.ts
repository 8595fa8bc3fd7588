import type { Command } from '../command.ts';
import { decide, DECISION_ARGUMENTS, DECISION_OPTIONS } from './decision.ts';

export const command: Command = {
  name: 'approve',
  summary: 'allow a version to be released',
  arguments: DECISION_ARGUMENTS,
  options: [
    ...DECISION_OPTIONS,
    { name: 'override', summary: 'approve although the gate did not pass; needs --reason' },
  ],
  examples: ['slipway approve diabetes 2 -m "better on every slice"'],
  run: async (input, io) => await decide('approve', input, io),
};
