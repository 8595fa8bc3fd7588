import type { Migration } from '@slipway/kit/sqlite';

/**
 * Training and processing jobs. `sequence` is the order of creation, which lists page by; a deleted job keeps its row,
 * without its content, because a job's name is unique for ever.
 */
const migration: Migration = {
  version: 3,
  name: 'sagemaker-jobs',
  sql: `
    CREATE TABLE sagemaker_jobs (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      account TEXT NOT NULL,
      region TEXT NOT NULL,
      kind TEXT NOT NULL CHECK (kind IN ('training', 'processing')),
      name TEXT NOT NULL,
      job_id TEXT NOT NULL UNIQUE,
      deleted INTEGER NOT NULL DEFAULT 0,
      status TEXT NOT NULL,
      secondary_status TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      modified_at INTEGER NOT NULL,
      ended_at INTEGER,
      request TEXT NOT NULL,
      detail TEXT NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX sagemaker_jobs_by_name ON sagemaker_jobs (account, region, kind, name);
    CREATE INDEX sagemaker_jobs_by_creation ON sagemaker_jobs (account, region, kind, sequence) WHERE deleted = 0;
    CREATE INDEX sagemaker_jobs_by_status ON sagemaker_jobs (account, region, kind, status, sequence) WHERE deleted = 0;
  `,
};

export default migration;
