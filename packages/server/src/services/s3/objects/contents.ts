import type { Database } from '@slipway/kit/sqlite';
import type { Segment } from '../blobs/blobs.ts';
import type { BucketKey } from '../buckets/store.ts';

const sql = {
  add: `INSERT INTO s3_segments (account, region, content, position, blob, size)
    VALUES (:account, :region, :content, :position, :blob, :size)`,
  segments: `SELECT blob, size FROM s3_segments
    WHERE account = :account AND region = :region AND content = :content ORDER BY position`,
  remove: 'DELETE FROM s3_segments WHERE account = :account AND region = :region AND content = :content',
  inUse: `SELECT 1 AS found FROM s3_objects
    WHERE account = :account AND region = :region AND content = :content LIMIT 1`,
  blobInUse: `SELECT 1 AS found FROM s3_segments WHERE blob = :blob
    UNION ALL SELECT 1 FROM s3_parts WHERE blob = :blob LIMIT 1`,
};

type AtContent = { account: string; region: string; content: string };

/** What objects consist of. Several versions may name one content: a copy takes no bytes. */
export interface ContentStore {
  add(bucket: BucketKey, content: string, segments: readonly Segment[]): void;
  segments(bucket: BucketKey, content: string): Segment[];
  /** Forgets a content that no version names any more. @returns its blobs, or none while it is in use */
  free(bucket: BucketKey, content: string | null): string[];
  /** Whether any content or any part of an unfinished upload names the blob. */
  isBlobInUse(blob: string): boolean;
}

export function contentStore(db: Database): ContentStore {
  const add = db.statement<AtContent & { position: number; blob: string; size: number }>(sql.add);
  const segments = db.statement<AtContent, { blob: string; size: number }>(sql.segments);
  const remove = db.statement<AtContent>(sql.remove);
  const inUse = db.statement<AtContent, { found: number }>(sql.inUse);
  const blobInUse = db.statement<{ blob: string }, { found: number }>(sql.blobInUse);
  const at = ({ account, region }: BucketKey, content: string): AtContent => ({ account, region, content });
  return {
    add(bucket, content, parts) {
      parts.forEach(({ blob, size }, position) => add.run({ ...at(bucket, content), position, blob, size }));
    },
    segments: (bucket, content) => segments.all(at(bucket, content)),
    free(bucket, content) {
      if (content === null || inUse.get(at(bucket, content)) !== undefined) return [];
      const blobs = segments.all(at(bucket, content)).map((segment) => segment.blob);
      remove.run(at(bucket, content));
      return blobs;
    },
    isBlobInUse: (blob) => blobInUse.get({ blob }) !== undefined,
  };
}
