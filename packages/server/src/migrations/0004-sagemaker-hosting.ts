import type { Migration } from '@slipway/kit/sqlite';

/**
 * Models, endpoint configs and endpoints. The first two never change, so their request is their whole state. An
 * endpoint's row goes away with it; `endpoint_id` tells two endpoints of one name apart.
 */
const migration: Migration = {
  version: 4,
  name: 'sagemaker-hosting',
  sql: `
    CREATE TABLE sagemaker_models (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      account TEXT NOT NULL,
      region TEXT NOT NULL,
      name TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      request TEXT NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX sagemaker_models_by_name ON sagemaker_models (account, region, name);
    CREATE INDEX sagemaker_models_by_creation ON sagemaker_models (account, region, sequence);

    CREATE TABLE sagemaker_endpoint_configs (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      account TEXT NOT NULL,
      region TEXT NOT NULL,
      name TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      request TEXT NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX sagemaker_endpoint_configs_by_name ON sagemaker_endpoint_configs (account, region, name);
    CREATE INDEX sagemaker_endpoint_configs_by_creation ON sagemaker_endpoint_configs (account, region, sequence);

    CREATE TABLE sagemaker_endpoints (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      account TEXT NOT NULL,
      region TEXT NOT NULL,
      name TEXT NOT NULL,
      endpoint_id TEXT NOT NULL UNIQUE,
      status TEXT NOT NULL,
      config_name TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      modified_at INTEGER NOT NULL,
      detail TEXT NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX sagemaker_endpoints_by_name ON sagemaker_endpoints (account, region, name);
    CREATE INDEX sagemaker_endpoints_by_creation ON sagemaker_endpoints (account, region, sequence);
    CREATE INDEX sagemaker_endpoints_by_status ON sagemaker_endpoints (account, region, status, sequence);
  `,
};

export default migration;
