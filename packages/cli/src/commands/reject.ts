import type { Command } from '../command.ts';
import { decide, DECISION_ARGUMENTS, DECISION_OPTIONS } from './decision.ts';

export const command: Command = {
  name: 'reject',
  summary: 'forbid a version; where it is live, the next apply goes back to the last healthy approved one',
  arguments: DECISION_ARGUMENTS,
  options: DECISION_OPTIONS,
  examples: ['slipway reject diabetes 2 -m "wrong units in the new data"'],
  run: async (input, io) => await decide('reject', input, io),
};
