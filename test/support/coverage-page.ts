import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readCatalog } from '../../packages/server/src/wire/model.ts';
import { operationTable } from './operation-table.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Their handlers are stand-ins: they test the wire, not the operations. */
const NO_EVIDENCE = /^test\/wire\//;
const TEST_START =
  /^[ \t]*(?:it|test)(?:\.(?:each|concurrent|skipIf|runIf)\b[^\n]*)?\(\s*(['"`])((?:(?!\1)[^\n])+)\1/gm;
const TITLE_AFTER_EACH = /^[ \t]*\]?\)\(\s*(['"`])((?:(?!\1)[^\n])+)\1/gm;
const IMPORT = /import\s+\{([^}]*)\}\s+from\s+'@aws-sdk\/client-([\w-]+)'/g;
const COMMAND = /\bnew\s+(\w+)Command\(/g;
const DRIVES = /\bdrives\(\s*'([\w-]+)'\s*,\s*((?:'\w+'\s*,?\s*)+)\)/g;
/** Client packages that are not named like their model. */
const MODELS: ReadonlyMap<string, string> = new Map([['cloudwatch-logs', 'logs']]);

export interface Evidence {
  readonly service: string;
  readonly operation: string;
  /** The test's name and file, from the repository's root. */
  readonly test: string;
  readonly file: string;
}

function testFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter(({ name }) => name !== 'node_modules' && name !== 'dist')
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return testFiles(path);
      return entry.name.endsWith('.test.ts') ? [path] : [];
    });
}

/** Which named test sends which operation by an official client, read from the tests' sources. */
export function collectEvidence(): Evidence[] {
  return [...testFiles('test'), ...testFiles('packages')]
    .map((path) => relative('.', path))
    .filter((path) => !NO_EVIDENCE.test(path))
    .sort()
    .flatMap((path) => evidenceIn(path, readFileSync(join(ROOT, path), 'utf8')));
}

/** A test without `expect` looks at nothing, so it is no evidence. */
export function evidenceIn(file: string, source: string): Evidence[] {
  const commands = new Map<string, string>();
  for (const [, names = '', client = ''] of source.matchAll(IMPORT)) {
    for (const name of names.split(',')) {
      const [, operation] = /^\s*(\w+)Command\s*$/.exec(name) ?? [];
      if (operation !== undefined) commands.set(operation, MODELS.get(client) ?? client);
    }
  }
  const starts = [...source.matchAll(TEST_START), ...source.matchAll(TITLE_AFTER_EACH)].sort(
    (a, b) => a.index - b.index,
  );
  return starts.flatMap((start, index) => {
    const block = source.slice(start.index, starts[index + 1]?.index);
    if (!/\bexpect[.(]/.test(block)) return [];
    const test = start[2] as string;
    const sent = [...block.matchAll(COMMAND)].flatMap(([, operation = '']) => {
      const service = commands.get(operation);
      return service === undefined ? [] : [{ service, operation, test, file }];
    });
    const declared = [...block.matchAll(DRIVES)].flatMap(([, service = '', names = '']) =>
      [...names.matchAll(/'(\w+)'/g)].map(([, operation = '']) => ({ service, operation, test, file })),
    );
    return [...sent, ...declared];
  });
}

/** @throws Error for a test that declares to drive what has no handler */
export function coveragePage(): string {
  const table = operationTable();
  const evidence = collectEvidence();
  const sections: string[] = [];
  for (const [service, { serviceId, operations }] of readCatalog()) {
    if (service === 'hello') continue;
    sections.push(section(service, serviceId, operations.split(' ').sort(), table.get(service) ?? [], evidence));
  }
  return `# What Slipway's server does of each service

Made by \`npm run coverage\` from the table of operations and the tests; do not edit.

- **executes**: the named test sends it by an official client and looks at what it did (the first such test is named).
- **answers**: it has a handler, but no such test yet.
- Everything else answers 501 \`NotImplemented\` with the operation's name.

${sections.join('\n')}`;
}

function section(
  service: string,
  title: string,
  all: readonly string[],
  handled: readonly string[],
  evidence: readonly Evidence[],
): string {
  const rows = handled.map((operation) => {
    const found = evidence.find((item) => item.service === service && item.operation === operation);
    if (found === undefined) return `| ${operation} | answers | |`;
    return `| ${operation} | executes | ${found.test.replaceAll('|', '\\|')} (\`${found.file}\`) |`;
  });
  const missing = all.filter((operation) => !handled.includes(operation));
  const executes = rows.filter((row) => row.includes('| executes |')).length;
  const lines = [
    `## ${title}`,
    '',
    `${executes} of ${all.length} operations execute, ${handled.length - executes} more answer.`,
    '',
  ];
  if (rows.length > 0) lines.push('| Operation | | Driven by |', '|---|---|---|', ...rows, '');
  if (missing.length > 0)
    lines.push('<details><summary>Not implemented</summary>', '', missing.join(', '), '', '</details>', '');
  return lines.join('\n');
}
