import type { Owner } from '@slipway/kit/machine';
import type { Database } from '@slipway/kit/sqlite';
import { listing, type Listing } from '../listing.ts';

export interface PackageGroupRow {
  readonly name: string;
  readonly created_at: number;
  /** JSON */
  readonly request: string;
}

export interface PackageGroupStore {
  find(owner: Owner, name: string): PackageGroupRow | undefined;
  insert(owner: Owner, name: string, request: object, now: number): void;
  remove(owner: Owner, name: string): void;
  /** The next version's number; numbers are never given twice. Joins the caller's transaction. */
  nextVersion(owner: Owner, name: string): number;
  readonly list: Listing<PackageGroupRow>;
}

const FIND = `
  SELECT name, created_at, request FROM sagemaker_package_groups
  WHERE account = :account AND region = :region AND name = :name`;
const INSERT = `
  INSERT INTO sagemaker_package_groups (account, region, name, created_at, next_version, request)
  VALUES (:account, :region, :name, :now, 1, :request)`;
const REMOVE = `
  DELETE FROM sagemaker_package_groups WHERE account = :account AND region = :region AND name = :name`;
const NEXT = `
  UPDATE sagemaker_package_groups SET next_version = next_version + 1
  WHERE account = :account AND region = :region AND name = :name RETURNING next_version - 1 AS version`;

type Key = { account: string; region: string; name: string };

export function packageGroupStore(db: Database): PackageGroupStore {
  const find = db.statement<Key, PackageGroupRow>(FIND);
  const insert = db.statement<Key & { now: number; request: string }>(INSERT);
  const remove = db.statement<Key>(REMOVE);
  const next = db.statement<Key, { version: number }>(NEXT);
  const key = ({ account, region }: Owner, name: string): Key => ({ account, region, name });
  return {
    find: (owner, name) => find.get(key(owner, name)),
    insert: (owner, name, request, now) =>
      void insert.run({ ...key(owner, name), now, request: JSON.stringify(request) }),
    remove: (owner, name) => void remove.run(key(owner, name)),
    nextVersion(owner, name) {
      const row = next.get(key(owner, name));
      if (row === undefined) throw new Error(`the package group ${name} has no row`);
      return row.version;
    },
    list: listing({
      db,
      table: 'sagemaker_package_groups',
      columns: 'name, created_at, request',
      sorts: { CreationTime: 'sequence', Name: 'name' },
    }),
  };
}
