import { relative, resolve } from 'node:path';
import type { Command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { runDemo } from '../demo/run.ts';

export const command: Command = {
  name: 'demo',
  summary: 'take two real models from a CSV file to predictions of one endpoint, on this machine',
  arguments: [{ name: 'folder', summary: 'where to make the project (default: slipway-demo)', optional: true }],
  examples: ['slipway demo', 'slipway demo /tmp/try'],
  async run(input, io) {
    const folder = resolve(io.cwd, input.arguments[0] ?? 'slipway-demo');
    const shown = relative(io.cwd, folder);
    const equal = await runDemo({ folder, shown: shown.startsWith('..') || shown === '' ? folder : shown }, io);
    return equal ? EXIT.done : EXIT.error;
  },
};
