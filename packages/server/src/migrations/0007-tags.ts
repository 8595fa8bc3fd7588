import type { Migration } from '@slipway/kit/sqlite';

/** Tags of every resource that has an ARN, in the order in which they were added. */
const migration: Migration = {
  version: 7,
  name: 'tags',
  sql: `
    CREATE TABLE sagemaker_tags (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      account TEXT NOT NULL,
      region TEXT NOT NULL,
      arn TEXT NOT NULL,
      key TEXT NOT NULL,
      value TEXT NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX sagemaker_tags_by_key ON sagemaker_tags (account, region, arn, key);
  `,
};

export default migration;
