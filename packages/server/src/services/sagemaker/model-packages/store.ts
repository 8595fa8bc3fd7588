import type { Owner } from '@slipway/kit/machine';
import type { Database } from '@slipway/kit/sqlite';
import { listing, type Listing } from '../listing.ts';

export interface PackageRow {
  /** '' and 0 for an unversioned package. */
  readonly group_name: string;
  readonly version: number;
  /** '' for a versioned package: its group and version are its name. */
  readonly name: string;
  readonly approval: string | null;
  readonly created_at: number;
  readonly modified_at: number | null;
  /** JSON of PackageContent */
  readonly content: string;
}

/** What names a package: group and version, or a name. */
export interface PackageKey {
  readonly group: string;
  readonly version: number;
  readonly name: string;
}

export interface NewPackage extends PackageKey {
  readonly approval: string | undefined;
  readonly clientToken: string | undefined;
  /** Of the request, to tell a repeated request from another with the same token. */
  readonly digest: string;
  readonly content: object;
}

export interface PackageStore {
  find(owner: Owner, key: PackageKey): PackageRow | undefined;
  byToken(owner: Owner, token: string): (PackageRow & { readonly request_digest: string }) | undefined;
  insert(owner: Owner, created: NewPackage, now: number): void;
  update(owner: Owner, key: PackageKey, approval: string | undefined, content: object, now: number): void;
  remove(owner: Owner, key: PackageKey): void;
  hasVersions(owner: Owner, group: string): boolean;
  readonly list: Listing<PackageRow>;
}

const COLUMNS = 'group_name, version, name, approval, created_at, modified_at, content';
const WHERE = `
  WHERE account = :account AND region = :region AND group_name = :group AND version = :version AND name = :name`;
const FIND = `SELECT ${COLUMNS} FROM sagemaker_packages ${WHERE}`;
const BY_TOKEN = `
  SELECT ${COLUMNS}, request_digest FROM sagemaker_packages
  WHERE account = :account AND region = :region AND client_token = :token`;
const INSERT = `
  INSERT INTO sagemaker_packages
    (account, region, group_name, version, name, approval, created_at, client_token, request_digest, content)
  VALUES (:account, :region, :group, :version, :name, :approval, :now, :token, :digest, :content)`;
const UPDATE = `
  UPDATE sagemaker_packages SET approval = :approval, content = :content, modified_at = :now ${WHERE}`;
const REMOVE = `DELETE FROM sagemaker_packages ${WHERE}`;
const ANY = `
  SELECT 1 AS found FROM sagemaker_packages
  WHERE account = :account AND region = :region AND group_name = :group LIMIT 1`;

type Scope = { account: string; region: string };
type Key = Scope & { group: string; version: number; name: string };

export function packageStore(db: Database): PackageStore {
  const find = db.statement<Key, PackageRow>(FIND);
  const byToken = db.statement<Scope & { token: string }, PackageRow & { request_digest: string }>(BY_TOKEN);
  const insert = db.statement<
    Key & { approval: string | null; now: number; token: string | null; digest: string; content: string }
  >(INSERT);
  const update = db.statement<Key & { approval: string | null; content: string; now: number }>(UPDATE);
  const remove = db.statement<Key>(REMOVE);
  const any = db.statement<Scope & { group: string }, { found: number }>(ANY);
  const scope = ({ account, region }: Owner): Scope => ({ account, region });
  const key = (owner: Owner, { group, version, name }: PackageKey): Key => ({ ...scope(owner), group, version, name });
  return {
    find: (owner, wanted) => find.get(key(owner, wanted)),
    byToken: (owner, token) => byToken.get({ ...scope(owner), token }),
    insert(owner, created, now) {
      const { approval, clientToken, digest, content } = created;
      insert.run({
        ...key(owner, created),
        approval: approval ?? null,
        now,
        token: clientToken ?? null,
        digest,
        content: JSON.stringify(content),
      });
    },
    update(owner, wanted, approval, content, now) {
      update.run({ ...key(owner, wanted), approval: approval ?? null, content: JSON.stringify(content), now });
    },
    remove: (owner, wanted) => void remove.run(key(owner, wanted)),
    hasVersions: (owner, group) => any.get({ ...scope(owner), group }) !== undefined,
    list: listing({
      db,
      table: 'sagemaker_packages',
      columns: COLUMNS,
      sorts: { CreationTime: 'sequence', Name: 'name' },
    }),
  };
}
