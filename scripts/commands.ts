// Writes docs/reference/commands.md from the commands' definitions.
import { writeFile } from 'node:fs/promises';
import { commandsPage } from '../test/support/commands-page.ts';

await writeFile(new URL('../docs/reference/commands.md', import.meta.url), await commandsPage());
