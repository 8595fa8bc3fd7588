import type { Owner } from '@slipway/kit/machine';
import type { Database, Migration } from '@slipway/kit/sqlite';

/** In a service that is served this stands in `migrations/NNNN-<name>.ts`. */
export const greetingsMigration: Migration = {
  version: 1,
  name: 'greetings',
  sql: `
    CREATE TABLE greetings (
      account TEXT NOT NULL,
      region TEXT NOT NULL,
      name TEXT NOT NULL,
      words TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      PRIMARY KEY (account, region, name)
    ) STRICT, WITHOUT ROWID;
  `,
};

const sql = {
  insert: `INSERT INTO greetings (account, region, name, words, created_at)
    VALUES (:account, :region, :name, :words, :createdAt) ON CONFLICT DO NOTHING`,
  get: `SELECT name, words, created_at AS createdAt FROM greetings
    WHERE account = :account AND region = :region AND name = :name`,
  remove: 'DELETE FROM greetings WHERE account = :account AND region = :region AND name = :name',
};

export interface Greeting {
  readonly name: string;
  readonly words: readonly string[];
  readonly createdAt: number;
}

export interface GreetingStore {
  /** @returns false when the name is taken */
  insert(owner: Owner, greeting: Greeting): boolean;
  get(owner: Owner, name: string): Greeting | undefined;
  /** @returns false when there was none */
  remove(owner: Owner, name: string): boolean;
}

type Key = { account: string; region: string; name: string };

export function greetingStore(db: Database): GreetingStore {
  const insert = db.statement<Key & { words: string; createdAt: number }>(sql.insert);
  const get = db.statement<Key, { name: string; words: string; createdAt: number }>(sql.get);
  const remove = db.statement<Key>(sql.remove);
  const key = ({ account, region }: Owner, name: string): Key => ({ account, region, name });
  return {
    insert: (owner, { name, words, createdAt }) =>
      insert.run({ ...key(owner, name), words: JSON.stringify(words), createdAt }).changes === 1,
    get(owner, name) {
      const row = get.get(key(owner, name));
      return row === undefined ? undefined : { ...row, words: JSON.parse(row.words) as string[] };
    },
    remove: (owner, name) => remove.run(key(owner, name)).changes === 1,
  };
}
