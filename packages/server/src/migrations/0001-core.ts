import { MACHINE_TABLES_1 } from '@slipway/kit/machine/schema';
import type { Migration } from '@slipway/kit/sqlite';

/** The machine runner's tables, and facts about the data folder itself, which belong to no account. */
const migration: Migration = {
  version: 1,
  name: 'core',
  sql: `
    ${MACHINE_TABLES_1}
    CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  `,
};

export default migration;
