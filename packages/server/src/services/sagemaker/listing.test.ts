import { openDatabase, type Database, type SqlParameters } from '@slipway/kit/sqlite';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { MIGRATIONS } from '../../migrations/index.ts';
import { jobStore } from './jobs/store.ts';
import { compare, nameContains, type PageQuery } from './listing.ts';

const db = openDatabase(':memory:', MIGRATIONS);
afterAll(() => db.close());
const owner = { account: '000000000000', region: 'us-east-1' };
const store = jobStore(db, 'training');
const STATUSES = ['InProgress', 'Completed', 'Failed'];

db.transaction(() => {
  for (let index = 0; index < 60; index += 1) {
    const name = `job-${(index * 37) % 60}`;
    store.insert(owner, { name, jobId: `id-${index}`, request: {}, createdAt: Math.floor(index / 5) });
    const status = STATUSES[index % 3] ?? '';
    store.update(owner, name, { status, secondaryStatus: '', endedAt: undefined, detail: {} }, index);
  }
});

const query = (fields: Partial<PageQuery>): PageQuery => ({
  owner,
  sortBy: 'CreationTime',
  descending: true,
  maxResults: undefined,
  nextToken: undefined,
  conditions: [],
  ...fields,
});

function everyName(fields: Partial<PageQuery>): string[] {
  const names: string[] = [];
  let nextToken: string | undefined;
  do {
    const page = store.list.page(query({ ...fields, nextToken }));
    names.push(...page.rows.map((row) => row.name));
    ({ nextToken } = page);
  } while (nextToken !== undefined);
  return names;
}

describe('a listing', () => {
  it('gives ten rows where no number is asked for', () => {
    expect(store.list.page(query({})).rows).toHaveLength(10);
  });

  it('gives the same rows in the same order for every page size, filter and order', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 70 }),
        fc.constantFrom('CreationTime', 'Name', 'Status'),
        fc.boolean(),
        fc.constantFrom(undefined, ...STATUSES),
        fc.constantFrom(undefined, '1', 'job-'),
        (maxResults, sortBy, descending, status, part) => {
          const conditions = [compare('status', '=', 'status', status), nameContains(part)];
          const paged = everyName({ maxResults, sortBy, descending, conditions });
          const whole = everyName({ maxResults: 100, sortBy, descending, conditions });
          expect(paged).toEqual(whole);
          expect(new Set(paged).size).toBe(paged.length);
          expect(everyName({ maxResults: 100, sortBy, descending: !descending, conditions })).toEqual(whole.reverse());
        },
      ),
    );
  });

  it('goes on after its last row while others are added', () => {
    const first = store.list.page(query({ maxResults: 3 }));
    store.insert(owner, { name: 'newer', jobId: 'newer', request: {}, createdAt: 99 });
    const second = store.list.page(query({ maxResults: 3, nextToken: first.nextToken }));
    expect([...first.rows, ...second.rows].map((row) => row.name)).toEqual(everyName({ maxResults: 100 }).slice(1, 7));
  });

  it('finds its place by an index, for every order and by status', () => {
    const seen: string[] = [];
    const spied: Database = {
      ...db,
      inTransaction: false,
      statement: (sql: string) => {
        seen.push(sql);
        return db.statement(sql);
      },
    };
    const { list } = jobStore(spied, 'training');
    seen.length = 0;
    const status = compare('status', '=', 'status', 'Failed');
    for (const sortBy of ['CreationTime', 'Name', 'Status']) list.page(query({ sortBy }));
    list.page(query({ conditions: [status] }));
    expect(seen).toHaveLength(4);
    for (const sql of seen) {
      const parameters: SqlParameters = { ...owner, limit: 11, ...(sql.includes(':status') ? status?.parameters : {}) };
      const plan = db.statement<SqlParameters, { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all(parameters);
      const text = plan.map(({ detail }) => detail).join('; ');
      expect(text).toMatch(/^SEARCH sagemaker_jobs USING INDEX/);
      expect(text).not.toContain('TEMP B-TREE');
    }
  });
});
