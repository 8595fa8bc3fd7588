import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { coveragePage } from '../test/support/coverage-page.ts';

writeFileSync(fileURLToPath(new URL('../docs/reference/coverage.md', import.meta.url)), coveragePage());
