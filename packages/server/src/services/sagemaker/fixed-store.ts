import type { Owner } from '@slipway/kit/machine';
import type { Database } from '@slipway/kit/sqlite';
import { listing, type Listing } from './listing.ts';

/** Something that is created once and never changes: its request is its whole state. */
export interface FixedRow {
  readonly name: string;
  readonly created_at: number;
  /** JSON */
  readonly request: string;
}

export interface FixedStore {
  find(owner: Owner, name: string): FixedRow | undefined;
  insert(owner: Owner, name: string, request: object, now: number): void;
  remove(owner: Owner, name: string): boolean;
  readonly list: Listing<Omit<FixedRow, 'request'>>;
}

type Key = { account: string; region: string; name: string };

/** Models and endpoint configs, a table each of the same columns. */
export function fixedStore(db: Database, table: 'sagemaker_models' | 'sagemaker_endpoint_configs'): FixedStore {
  const find = db.statement<Key, FixedRow>(
    `SELECT name, created_at, request FROM ${table} WHERE account = :account AND region = :region AND name = :name`,
  );
  const insert = db.statement<Key & { now: number; request: string }>(
    `INSERT INTO ${table} (account, region, name, created_at, request)
     VALUES (:account, :region, :name, :now, :request)`,
  );
  const remove = db.statement<Key>(
    `DELETE FROM ${table} WHERE account = :account AND region = :region AND name = :name`,
  );
  const key = ({ account, region }: Owner, name: string): Key => ({ account, region, name });
  return {
    find: (owner, name) => find.get(key(owner, name)),
    insert(owner, name, request, now) {
      insert.run({ ...key(owner, name), now, request: JSON.stringify(request) });
    },
    remove: (owner, name) => remove.run(key(owner, name)).changes === 1,
    list: listing({
      db,
      table,
      columns: 'name, created_at',
      sorts: { CreationTime: 'sequence', Name: 'name' },
    }),
  };
}
