import type { Instant } from '@slipway/kit/clock';
import type { Database } from '@slipway/kit/sqlite';
import type { BucketKey } from '../buckets/store.ts';
import type { StoredChecksum } from '../checksums/checksums.ts';
import type { ContentStore } from './contents.ts';

/** What a client said of an object beside its bytes; given back with it. */
export interface ObjectHeaders {
  readonly ContentType?: string;
  readonly CacheControl?: string;
  readonly ContentDisposition?: string;
  readonly ContentEncoding?: string;
  readonly ContentLanguage?: string;
  /** Milliseconds since the epoch. */
  readonly Expires?: number;
  readonly WebsiteRedirectLocation?: string;
  /** Absent for STANDARD, which S3 does not print. */
  readonly StorageClass?: string;
  readonly ServerSideEncryption: string;
  readonly SSEKMSKeyId?: string;
  readonly BucketKeyEnabled?: boolean;
  readonly Metadata?: Readonly<Record<string, string>>;
}

/** One version of an object, or a delete marker. */
export interface ObjectVersion {
  readonly key: Uint8Array;
  /** `null` for those written while versioning was not enabled. */
  readonly versionId: string;
  readonly latest: boolean;
  readonly marker: boolean;
  /** Names its segments; shared by copies. Absent for a marker. */
  readonly content: string | undefined;
  readonly size: number;
  /** With its quotes. */
  readonly etag: string;
  readonly modifiedAt: Instant;
  readonly headers: ObjectHeaders;
  readonly checksum: StoredChecksum | undefined;
  /** The multipart upload that made it. */
  readonly uploadId: string | undefined;
}

interface Row {
  readonly key: Uint8Array;
  readonly sequence: number;
  readonly versionId: string;
  readonly latest: number;
  readonly marker: number;
  readonly content: string | null;
  readonly size: number;
  readonly etag: string;
  readonly modifiedAt: number;
  readonly headers: string;
  readonly checksums: string;
  readonly uploadId: string | null;
}

const columns = `key, sequence, version_id AS versionId, latest, marker, content, size, etag, modified_at AS modifiedAt,
  headers, checksums, upload_id AS uploadId`;
const here = 'account = :account AND region = :region AND bucket = :bucket';

const sql = {
  latest: `SELECT ${columns} FROM s3_objects WHERE ${here} AND key = :key ORDER BY sequence DESC LIMIT 1`,
  version: `SELECT ${columns} FROM s3_objects WHERE ${here} AND key = :key AND version_id = :versionId`,
  insert: `INSERT INTO s3_objects (account, region, bucket, key, sequence, version_id, latest, marker, content, size, etag,
      modified_at, headers, checksums, upload_id)
    VALUES (:account, :region, :bucket, :key, :sequence, :versionId, 1, :marker, :content, :size, :etag,
      :modifiedAt, :headers, :checksums, :uploadId)`,
  demote: `UPDATE s3_objects SET latest = 0 WHERE ${here} AND key = :key AND latest = 1`,
  promote: `UPDATE s3_objects SET latest = 1 WHERE ${here} AND key = :key AND sequence =
    (SELECT MAX(sequence) FROM s3_objects WHERE ${here} AND key = :key)`,
  remove: `DELETE FROM s3_objects WHERE ${here} AND key = :key AND version_id = :versionId`,
  current: `SELECT ${columns} FROM s3_objects INDEXED BY s3_objects_current
    WHERE ${here} AND latest = 1 AND marker = 0 AND key >= :from AND key < :end ORDER BY key LIMIT :limit`,
  versions: `SELECT ${columns} FROM s3_objects
    WHERE ${here} AND (key > :from OR (key = :from AND sequence < :before)) AND key >= :from AND key < :end
    ORDER BY key, sequence DESC LIMIT :limit`,
};

type Here = { account: string; region: string; bucket: string };
type AtKey = Here & { key: Uint8Array };

/** Sorts after every key: a byte that UTF-8 never has. */
export const afterAllKeys: Uint8Array = Buffer.from([0xff]);

function toVersion(row: Row): ObjectVersion {
  return {
    key: row.key,
    versionId: row.versionId,
    latest: row.latest === 1,
    marker: row.marker === 1,
    content: row.content ?? undefined,
    size: row.size,
    etag: row.etag,
    modifiedAt: row.modifiedAt,
    headers: JSON.parse(row.headers) as ObjectHeaders,
    checksum: row.checksums === '' ? undefined : (JSON.parse(row.checksums) as StoredChecksum),
    uploadId: row.uploadId ?? undefined,
  };
}

/** A version with its place in the order of its key, for paging through versions. */
export interface PlacedVersion {
  readonly version: ObjectVersion;
  readonly sequence: number;
}

export type NewVersion = Omit<ObjectVersion, 'key' | 'latest'>;

export interface ObjectStore {
  /** The newest version, which may be a delete marker. */
  latest(bucket: BucketKey, key: Uint8Array): ObjectVersion | undefined;
  version(bucket: BucketKey, key: Uint8Array, versionId: string): ObjectVersion | undefined;
  /** Makes it the newest, in the place of a version with the same id. @returns blobs that nothing names any more */
  put(bucket: BucketKey, key: Uint8Array, version: NewVersion): string[];
  /** @returns the removed version, if there was one, and blobs that nothing names any more */
  remove(
    bucket: BucketKey,
    key: Uint8Array,
    versionId: string,
  ): { removed: ObjectVersion | undefined; freed: string[] };
  /** Current objects with `from` <= key < `end`, by bytes. */
  current(bucket: BucketKey, from: Uint8Array, end: Uint8Array, limit: number): ObjectVersion[];
  /** Versions and markers with `from` <= key < `end`, of `from` itself only those older than `before`; newest first. */
  versions(bucket: BucketKey, from: Uint8Array, before: number, end: Uint8Array, limit: number): PlacedVersion[];
  /** The place of a version in the order of its key, or undefined when it is gone. */
  sequenceOf(bucket: BucketKey, key: Uint8Array, versionId: string): number | undefined;
}

export function objectStore(db: Database, contents: ContentStore): ObjectStore {
  const latest = db.statement<AtKey, Row>(sql.latest);
  const version = db.statement<AtKey & { versionId: string }, Row>(sql.version);
  const insert = db.statement<AtKey & Record<string, string | number | Uint8Array | null>>(sql.insert);
  const demote = db.statement<AtKey>(sql.demote);
  const promote = db.statement<AtKey>(sql.promote);
  const remove = db.statement<AtKey & { versionId: string }>(sql.remove);
  const current = db.statement<Here & { from: Uint8Array; end: Uint8Array; limit: number }, Row>(sql.current);
  const versions = db.statement<Here & { from: Uint8Array; before: number; end: Uint8Array; limit: number }, Row>(
    sql.versions,
  );

  return {
    latest(bucket, key) {
      const row = latest.get({ ...bucket, key });
      return row === undefined ? undefined : toVersion(row);
    },
    version(bucket, key, versionId) {
      const row = version.get({ ...bucket, key, versionId });
      return row === undefined ? undefined : toVersion(row);
    },
    put(bucket, key, made) {
      const sequence = (latest.get({ ...bucket, key })?.sequence ?? 0) + 1;
      const replaced = version.get({ ...bucket, key, versionId: made.versionId });
      if (replaced !== undefined) remove.run({ ...bucket, key, versionId: made.versionId });
      demote.run({ ...bucket, key });
      insert.run({
        ...bucket,
        key,
        sequence,
        versionId: made.versionId,
        marker: made.marker ? 1 : 0,
        content: made.content ?? null,
        size: made.size,
        etag: made.etag,
        modifiedAt: made.modifiedAt,
        headers: JSON.stringify(made.headers),
        checksums: made.checksum === undefined ? '' : JSON.stringify(made.checksum),
        uploadId: made.uploadId ?? null,
      });
      // After the insert: an object copied onto itself keeps its content.
      return contents.free(bucket, replaced?.content ?? null);
    },
    remove(bucket, key, versionId) {
      const row = version.get({ ...bucket, key, versionId });
      if (row === undefined) return { removed: undefined, freed: [] };
      remove.run({ ...bucket, key, versionId });
      if (row.latest === 1) promote.run({ ...bucket, key });
      return { removed: toVersion(row), freed: contents.free(bucket, row.content) };
    },
    current: (bucket, from, end, limit) => current.all({ ...bucket, from, end, limit }).map(toVersion),
    versions: (bucket, from, before, end, limit) =>
      versions
        .all({ ...bucket, from, before, end, limit })
        .map((row) => ({ version: toVersion(row), sequence: row.sequence })),
    sequenceOf: (bucket, key, versionId) => version.get({ ...bucket, key, versionId })?.sequence,
  };
}
