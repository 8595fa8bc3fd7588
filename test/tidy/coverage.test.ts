import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { collectEvidence, coveragePage, evidenceIn } from '../support/coverage-page.ts';
import { operationTable } from '../support/operation-table.ts';

describe('the coverage page', () => {
  it('is fresh (if not: npm run coverage)', () => {
    const page = readFileSync(new URL('../../docs/reference/coverage.md', import.meta.url), 'utf8');
    expect(page).toBe(coveragePage());
  });

  it('is claimed only for operations that have a handler', () => {
    const table = operationTable();
    const source = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
    const claimed = collectEvidence().filter(({ file, operation }) =>
      [...source(file).matchAll(/drives\([^)]*\)/g)].some(([call]) => call.includes(`'${operation}'`)),
    );
    const unfounded = claimed.filter(({ service, operation }) => table.get(service)?.includes(operation) !== true);
    expect(unfounded).toEqual([]);
  });

  it('counts what a named test sends and looks at', () => {
    const source = `
      import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
      import { GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
      it('puts', async () => { await s3.send(new PutObjectCommand({})); });
      it('gets', async () => { expect(await s3.send(new GetObjectCommand({}))).toBe(1); drives('sts', 'AssumeRole'); });
      it.each([1])('reads logs', async () => { expect(await logs.send(new GetLogEventsCommand({}))).toBe(1); });
    `;
    expect(evidenceIn('x.test.ts', source).map(({ service, operation, test }) => [service, operation, test])).toEqual([
      ['s3', 'GetObject', 'gets'],
      ['sts', 'AssumeRole', 'gets'],
      ['logs', 'GetLogEvents', 'reads logs'],
    ]);
  });
});
