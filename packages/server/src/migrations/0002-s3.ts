import type { Migration } from '@slipway/kit/sqlite';

/**
 * Buckets, versions of objects, what they consist of, and unfinished multipart uploads.
 *
 * Keys are BLOBs, so SQLite compares them as S3 orders them: by UTF-8 bytes. An object's bytes are its content's
 * segments, each a whole blob file; a copy names the same content, and a completed multipart upload takes its parts'
 * blobs as they are. A blob file belongs to exactly one content or one part.
 */
const migration: Migration = {
  version: 2,
  name: 's3',
  sql: `
    CREATE TABLE s3_buckets (
      account TEXT NOT NULL,
      region TEXT NOT NULL,
      name TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      versioning TEXT NOT NULL CHECK (versioning IN ('', 'Enabled', 'Suspended')),
      PRIMARY KEY (account, region, name)
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX s3_buckets_by_name ON s3_buckets (name);

    CREATE TABLE s3_objects (
      account TEXT NOT NULL,
      region TEXT NOT NULL,
      bucket TEXT NOT NULL,
      key BLOB NOT NULL,
      sequence INTEGER NOT NULL,
      version_id TEXT NOT NULL,
      latest INTEGER NOT NULL,
      marker INTEGER NOT NULL,
      content TEXT,
      size INTEGER NOT NULL,
      etag TEXT NOT NULL,
      modified_at INTEGER NOT NULL,
      headers TEXT NOT NULL,
      checksums TEXT NOT NULL,
      upload_id TEXT,
      PRIMARY KEY (account, region, bucket, key, sequence DESC),
      FOREIGN KEY (account, region, bucket) REFERENCES s3_buckets (account, region, name)
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX s3_objects_by_version ON s3_objects (account, region, bucket, key, version_id);
    CREATE UNIQUE INDEX s3_objects_current ON s3_objects (account, region, bucket, key) WHERE latest = 1 AND marker = 0;
    CREATE INDEX s3_objects_by_content ON s3_objects (account, region, content) WHERE content IS NOT NULL;

    CREATE TABLE s3_segments (
      account TEXT NOT NULL,
      region TEXT NOT NULL,
      content TEXT NOT NULL,
      position INTEGER NOT NULL,
      blob TEXT NOT NULL,
      size INTEGER NOT NULL,
      PRIMARY KEY (account, region, content, position)
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX s3_segments_by_blob ON s3_segments (blob);

    CREATE TABLE s3_uploads (
      account TEXT NOT NULL,
      region TEXT NOT NULL,
      bucket TEXT NOT NULL,
      key BLOB NOT NULL,
      upload_id TEXT NOT NULL,
      started_at INTEGER NOT NULL,
      headers TEXT NOT NULL,
      algorithm TEXT NOT NULL,
      checksum_type TEXT NOT NULL CHECK (checksum_type IN ('COMPOSITE', 'FULL_OBJECT')),
      algorithm_chosen INTEGER NOT NULL,
      PRIMARY KEY (account, region, bucket, key, upload_id),
      FOREIGN KEY (account, region, bucket) REFERENCES s3_buckets (account, region, name)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE s3_parts (
      account TEXT NOT NULL,
      region TEXT NOT NULL,
      upload_id TEXT NOT NULL,
      part_number INTEGER NOT NULL,
      blob TEXT NOT NULL,
      size INTEGER NOT NULL,
      etag TEXT NOT NULL,
      checksum TEXT NOT NULL,
      modified_at INTEGER NOT NULL,
      PRIMARY KEY (account, region, upload_id, part_number)
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX s3_parts_by_blob ON s3_parts (blob);
  `,
};

export default migration;
