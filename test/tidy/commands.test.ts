import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { commandsPage } from '../support/commands-page.ts';
import { ROOT } from './source-files.ts';

it('the reference of the commands is what the commands say (npm run commands)', async () => {
  expect(readFileSync(join(ROOT, 'docs/reference/commands.md'), 'utf8')).toBe(await commandsPage());
});
