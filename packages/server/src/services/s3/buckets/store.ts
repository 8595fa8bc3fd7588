import type { Instant } from '@slipway/kit/clock';
import type { Database } from '@slipway/kit/sqlite';

export interface BucketRow {
  readonly account: string;
  readonly region: string;
  readonly name: string;
  readonly createdAt: Instant;
  /** '' until versioning is first asked for; it never goes back to that. */
  readonly versioning: '' | 'Enabled' | 'Suspended';
}

/** The columns every row of a bucket begins with. */
export interface BucketKey {
  readonly account: string;
  readonly region: string;
  readonly bucket: string;
}

export const bucketKey = (bucket: BucketRow): BucketKey => ({
  account: bucket.account,
  region: bucket.region,
  bucket: bucket.name,
});

const columns = 'account, region, name, created_at AS createdAt, versioning';

const sql = {
  insert: `INSERT INTO s3_buckets (account, region, name, created_at, versioning)
    VALUES (:account, :region, :name, :createdAt, '')`,
  find: `SELECT ${columns} FROM s3_buckets WHERE name = :name`,
  list: `SELECT ${columns} FROM s3_buckets
    WHERE account = :account AND name > :after AND name >= :prefix AND (:region = '' OR region = :region)
    ORDER BY name LIMIT :limit`,
  version: `UPDATE s3_buckets SET versioning = :versioning
    WHERE account = :account AND region = :region AND name = :bucket`,
  remove: 'DELETE FROM s3_buckets WHERE account = :account AND region = :region AND name = :bucket',
  occupied: `SELECT 1 AS found FROM s3_objects WHERE account = :account AND region = :region AND bucket = :bucket LIMIT 1`,
};

export interface BucketList {
  readonly account: string;
  /** Names after this one; '' from the start. */
  readonly after: string;
  readonly prefix: string;
  /** '' for all regions. */
  readonly region: string;
  readonly limit: number;
}

export interface BucketStore {
  insert(bucket: Omit<BucketRow, 'versioning'>): void;
  /** By its name alone: bucket names are global. */
  find(name: string): BucketRow | undefined;
  list(what: BucketList): BucketRow[];
  setVersioning(key: BucketKey, versioning: BucketRow['versioning']): void;
  /** Any version or delete marker counts. */
  isOccupied(key: BucketKey): boolean;
  remove(key: BucketKey): void;
}

export function bucketStore(db: Database): BucketStore {
  const insert = db.statement<{ account: string; region: string; name: string; createdAt: number }>(sql.insert);
  const find = db.statement<{ name: string }, BucketRow>(sql.find);
  const list = db.statement<
    { account: string; after: string; prefix: string; region: string; limit: number },
    BucketRow
  >(sql.list);
  const version = db.statement<{ account: string; region: string; bucket: string; versioning: string }>(sql.version);
  const remove = db.statement<{ account: string; region: string; bucket: string }>(sql.remove);
  const occupied = db.statement<{ account: string; region: string; bucket: string }, { found: number }>(sql.occupied);
  return {
    insert: (bucket) => void insert.run({ ...bucket }),
    find: (name) => find.get({ name }),
    list: (what) => list.all({ ...what }).filter((bucket) => bucket.name.startsWith(what.prefix)),
    setVersioning: (key, versioning) => void version.run({ ...key, versioning }),
    isOccupied: (key) => occupied.get({ ...key }) !== undefined,
    remove: (key) => void remove.run({ ...key }),
  };
}
