/** A value SQLite can hold without loss. `kit/sqlite` refuses anything else before it reaches the driver. */
export type SqlValue = string | number | bigint | null | Uint8Array;
export type SqlParameters = Readonly<Record<string, SqlValue>>;

/** A prepared statement with named parameters (`:name` in the SQL, `name` in the object). */
export interface Statement<P extends SqlParameters | void, Row> {
  get(parameters: P): Row | undefined;
  all(parameters: P): Row[];
  iterate(parameters: P): IterableIterator<Row>;
  run(parameters: P): { readonly changes: number; readonly lastInsertRowid: number };
}

export interface Database {
  statement<P extends SqlParameters | void, Row = never>(sql: string): Statement<P, Row>;
  exec(sql: string): void;
  /** Runs `work` in one transaction (nested calls join the outer one). Rolls back when it throws. Synchronous only. */
  transaction<T>(work: () => T): T;
  readonly inTransaction: boolean;
  /** Calls `after` once the outermost transaction has committed (at once when none is open). */
  afterCommit(after: () => void): void;
  close(): void;
}

/** One numbered step of the schema; never edited after release. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}
