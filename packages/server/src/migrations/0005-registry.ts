import type { Migration } from '@slipway/kit/sqlite';

/**
 * Model package groups and packages. A versioned package belongs to a group and has a number above 0 in it; an unversioned
 * one has group '' and version 0. `next_version` never goes down, so that a deleted version's ARN is not used again.
 */
const migration: Migration = {
  version: 5,
  name: 'registry',
  sql: `
    CREATE TABLE sagemaker_package_groups (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      account TEXT NOT NULL,
      region TEXT NOT NULL,
      name TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      next_version INTEGER NOT NULL,
      request TEXT NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX sagemaker_package_groups_by_name ON sagemaker_package_groups (account, region, name);
    CREATE INDEX sagemaker_package_groups_by_creation ON sagemaker_package_groups (account, region, sequence);

    CREATE TABLE sagemaker_packages (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      account TEXT NOT NULL,
      region TEXT NOT NULL,
      group_name TEXT NOT NULL,
      version INTEGER NOT NULL,
      name TEXT NOT NULL,
      approval TEXT,
      created_at INTEGER NOT NULL,
      modified_at INTEGER,
      client_token TEXT,
      request_digest TEXT NOT NULL,
      content TEXT NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX sagemaker_packages_by_name ON sagemaker_packages (account, region, group_name, version, name);
    CREATE UNIQUE INDEX sagemaker_packages_by_token ON sagemaker_packages (account, region, client_token)
      WHERE client_token IS NOT NULL;
    CREATE INDEX sagemaker_packages_by_creation ON sagemaker_packages (account, region, group_name, sequence);
  `,
};

export default migration;
