import type { Instant } from '@slipway/kit/clock';
import type { Database } from '@slipway/kit/sqlite';
import type { BucketKey } from '../buckets/store.ts';
import type { Algorithm, ChecksumType } from '../checksums/checksums.ts';
import type { ObjectHeaders } from '../objects/store.ts';

export interface Upload {
  readonly key: Uint8Array;
  readonly uploadId: string;
  readonly startedAt: Instant;
  readonly headers: ObjectHeaders;
  readonly algorithm: Algorithm;
  readonly checksumType: ChecksumType;
  /** False where the client named no algorithm and S3's own (CRC64NVME) is kept. */
  readonly isAlgorithmChosen: boolean;
}

export interface Part {
  readonly partNumber: number;
  readonly blob: string;
  readonly size: number;
  /** With its quotes. */
  readonly etag: string;
  /** Base64, by the upload's algorithm. */
  readonly checksum: string;
  readonly modifiedAt: Instant;
}

interface UploadRow {
  readonly key: Uint8Array;
  readonly uploadId: string;
  readonly startedAt: number;
  readonly headers: string;
  readonly algorithm: string;
  readonly checksumType: string;
  readonly algorithmChosen: number;
}

const uploadColumns = `key, upload_id AS uploadId, started_at AS startedAt, headers, algorithm,
  checksum_type AS checksumType, algorithm_chosen AS algorithmChosen`;
const partColumns = 'part_number AS partNumber, blob, size, etag, checksum, modified_at AS modifiedAt';
const here = 'account = :account AND region = :region AND bucket = :bucket';
const ofUpload = 'account = :account AND region = :region AND upload_id = :uploadId';

const sql = {
  insert: `INSERT INTO s3_uploads (account, region, bucket, key, upload_id, started_at, headers, algorithm, checksum_type,
      algorithm_chosen)
    VALUES (:account, :region, :bucket, :key, :uploadId, :startedAt, :headers, :algorithm, :checksumType,
      :algorithmChosen)`,
  find: `SELECT ${uploadColumns} FROM s3_uploads WHERE ${here} AND key = :key AND upload_id = :uploadId`,
  list: `SELECT ${uploadColumns} FROM s3_uploads
    WHERE ${here} AND (key > :from OR (key = :from AND upload_id > :after)) AND key >= :from AND key < :end
    ORDER BY key, upload_id LIMIT :limit`,
  remove: `DELETE FROM s3_uploads WHERE ${here} AND key = :key AND upload_id = :uploadId`,
  any: `SELECT key, upload_id AS uploadId FROM s3_uploads WHERE ${here} LIMIT 1`,
  part: `SELECT ${partColumns} FROM s3_parts WHERE ${ofUpload} AND part_number = :partNumber`,
  parts: `SELECT ${partColumns} FROM s3_parts WHERE ${ofUpload} AND part_number > :after
    ORDER BY part_number LIMIT :limit`,
  putPart: `INSERT OR REPLACE INTO s3_parts (account, region, upload_id, part_number, blob, size, etag, checksum, modified_at)
    VALUES (:account, :region, :uploadId, :partNumber, :blob, :size, :etag, :checksum, :modifiedAt)`,
  removeParts: `DELETE FROM s3_parts WHERE ${ofUpload}`,
};

type Here = { account: string; region: string; bucket: string };
type AtUpload = Here & { key: Uint8Array; uploadId: string };
type OfUpload = { account: string; region: string; uploadId: string };

function toUpload(row: UploadRow): Upload {
  return {
    key: row.key,
    uploadId: row.uploadId,
    startedAt: row.startedAt,
    headers: JSON.parse(row.headers) as ObjectHeaders,
    algorithm: row.algorithm as Algorithm,
    checksumType: row.checksumType as ChecksumType,
    isAlgorithmChosen: row.algorithmChosen === 1,
  };
}

export const maxParts = 10_000;

export interface UploadStore {
  insert(bucket: BucketKey, upload: Upload): void;
  find(bucket: BucketKey, key: Uint8Array, uploadId: string): Upload | undefined;
  /** Uploads after (`from`, `afterId`) with keys < `end`, by key and id. */
  list(bucket: BucketKey, from: Uint8Array, afterId: string, end: Uint8Array, limit: number): Upload[];
  /** Removes every upload of a bucket that is being deleted; `freed` gets the blobs of each. */
  removeAll(bucket: BucketKey, freed: (blobs: string[]) => void): void;
  /** Removes the upload and its parts' rows; their blobs are the caller's. @returns all its parts */
  remove(bucket: BucketKey, key: Uint8Array, uploadId: string): Part[];
  /** @returns the blob of the part it replaced */
  putPart(bucket: BucketKey, uploadId: string, part: Part): string | undefined;
  parts(bucket: BucketKey, uploadId: string, after: number, limit: number): Part[];
}

export function uploadStore(db: Database): UploadStore {
  const insert = db.statement<AtUpload & Record<string, string | number | Uint8Array>>(sql.insert);
  const find = db.statement<AtUpload, UploadRow>(sql.find);
  const list = db.statement<Here & { from: Uint8Array; after: string; end: Uint8Array; limit: number }, UploadRow>(
    sql.list,
  );
  const remove = db.statement<AtUpload>(sql.remove);
  const any = db.statement<Here, { key: Uint8Array; uploadId: string }>(sql.any);
  const part = db.statement<OfUpload & { partNumber: number }, Part>(sql.part);
  const parts = db.statement<OfUpload & { after: number; limit: number }, Part>(sql.parts);
  const putPart = db.statement<OfUpload & Record<string, string | number>>(sql.putPart);
  const removeParts = db.statement<OfUpload>(sql.removeParts);
  const ofUpload = ({ account, region }: BucketKey, uploadId: string): OfUpload => ({ account, region, uploadId });

  function take(bucket: BucketKey, key: Uint8Array, uploadId: string): Part[] {
    const removed = parts.all({ ...ofUpload(bucket, uploadId), after: 0, limit: maxParts });
    removeParts.run(ofUpload(bucket, uploadId));
    remove.run({ ...bucket, key, uploadId });
    return removed;
  }

  return {
    insert(bucket, { isAlgorithmChosen, headers, ...upload }) {
      const algorithmChosen = isAlgorithmChosen ? 1 : 0;
      insert.run({ ...bucket, ...upload, headers: JSON.stringify(headers), algorithmChosen });
    },
    find(bucket, key, uploadId) {
      const row = find.get({ ...bucket, key, uploadId });
      return row === undefined ? undefined : toUpload(row);
    },
    list: (bucket, from, after, end, limit) => list.all({ ...bucket, from, after, end, limit }).map(toUpload),
    removeAll(bucket, freed) {
      for (let row = any.get({ ...bucket }); row !== undefined; row = any.get({ ...bucket })) {
        freed(take(bucket, row.key, row.uploadId).map((removed) => removed.blob));
      }
    },
    remove: take,
    putPart(bucket, uploadId, made) {
      const at = ofUpload(bucket, uploadId);
      const replaced = part.get({ ...at, partNumber: made.partNumber })?.blob;
      putPart.run({ ...at, ...made });
      return replaced;
    },
    parts: (bucket, uploadId, after, limit) => parts.all({ ...ofUpload(bucket, uploadId), after, limit }),
  };
}
