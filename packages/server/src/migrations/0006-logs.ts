import type { Migration } from '@slipway/kit/sqlite';

/** Log groups, and the files behind their streams. The events themselves stay in the files. */
const migration: Migration = {
  version: 6,
  name: 'logs',
  sql: `
    CREATE TABLE log_groups (
      account TEXT NOT NULL,
      region TEXT NOT NULL,
      name TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      PRIMARY KEY (account, region, name)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE log_streams (
      account TEXT NOT NULL,
      region TEXT NOT NULL,
      log_group TEXT NOT NULL,
      name TEXT NOT NULL,
      path TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      PRIMARY KEY (account, region, log_group, name),
      FOREIGN KEY (account, region, log_group) REFERENCES log_groups (account, region, name)
    ) STRICT, WITHOUT ROWID;
  `,
};

export default migration;
