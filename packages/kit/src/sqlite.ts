import { DatabaseSync, type StatementSyncInstance } from '@photostructure/sqlite';
import { UserError } from './errors.ts';

/** A value SQLite can hold without loss. `kit/sqlite` refuses anything else before it reaches the driver. */
export type SqlValue = string | number | bigint | null | Uint8Array;
export type SqlParameters = Readonly<Record<string, SqlValue>>;

/**
 * A prepared statement with named parameters (`:name` in the SQL, `name` in the object). Integers come back as numbers;
 * the driver throws for one beyond 2^53, so keep such values as text.
 */
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

/** A value or a parameter name that would be lost or changed on its way into the database. Nothing was written. */
export class UnstorableValue extends TypeError {
  constructor(problem: string, sql: string) {
    super(`${problem} (in: ${sql.replace(/\s+/g, ' ').trim().slice(0, 120)})`);
    this.name = 'UnstorableValue';
  }
}

/** A value of a type that is stored, but one that SQLite would cut or round: it may well come from a client. */
export class UnstorableInput extends UnstorableValue {
  /** For example `text with a NUL character`. */
  readonly problem: string;

  constructor(problem: string, name: string, sql: string) {
    super(`:${name} is ${problem}`, sql);
    this.name = 'UnstorableInput';
    this.problem = problem;
  }
}

/** True for errors that say the disk (or the database's allowance on it) is full. */
export function isDiskFull(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  // 13 is SQLITE_FULL, 778 SQLITE_IOERR_WRITE and 4874 SQLITE_IOERR_SHMSIZE, which a full disk causes too.
  return code === 'ENOSPC' || code === 'EDQUOT' || errcode === 13 || errcode === 778 || errcode === 4874;
}

/**
 * Opens (or creates) a database file and brings its schema up to date, each migration in a transaction of its own.
 * Death of the process loses nothing committed; a power cut may lose the last commits but not the file's integrity.
 *
 * @throws UserError when the file was written by newer migrations than these
 */
export function openDatabase(path: string, migrations: readonly Migration[]): Database {
  const driver = new DatabaseSync(path, { timeout: 5_000, enableForeignKeyConstraints: true });
  try {
    driver.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      PRAGMA temp_store = MEMORY;
      PRAGMA trusted_schema = OFF;
      PRAGMA journal_size_limit = 67108864;
    `);
    const database = new OpenDatabase(driver);
    migrate(driver, database, migrations, path);
    return database;
  } catch (error) {
    driver.close();
    throw error;
  }
}

type Driver = InstanceType<typeof DatabaseSync>;

function migrate(driver: Driver, database: Database, migrations: readonly Migration[], path: string): void {
  migrations.forEach((migration, index) => {
    const previous = migrations[index - 1]?.version ?? 0;
    if (migration.version <= previous) throw new Error(`migration ${migration.version} stands after ${previous}`);
  });
  const { user_version: found } = driver.prepare('PRAGMA user_version').get() as { user_version: number };
  const known = migrations.at(-1)?.version ?? 0;
  if (found > known) {
    throw new UserError({
      what: `${path} was written by a newer version of Slipway.`,
      why: `Its schema has version ${found}; this Slipway knows versions up to ${known}.`,
      next: 'Use that newer version, or another data folder.',
    });
  }
  for (const migration of migrations) {
    if (migration.version <= found) continue;
    database.transaction(() => {
      driver.exec(migration.sql);
      driver.exec(`PRAGMA user_version = ${Math.trunc(migration.version)}`);
    });
  }
}

class OpenDatabase implements Database {
  readonly #driver: Driver;
  readonly #statements = new Map<string, CheckedStatement>();
  #afterCommit: (() => void)[] = [];
  #doomed: unknown;

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  get inTransaction(): boolean {
    return this.#driver.isTransaction;
  }

  statement<P extends SqlParameters | void, Row = never>(sql: string): Statement<P, Row> {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = new CheckedStatement(this.#driver, sql)));
    return statement as unknown as Statement<P, Row>;
  }

  exec(sql: string): void {
    this.#driver.exec(sql);
  }

  transaction<T>(work: () => T): T {
    if (this.#driver.isTransaction) return this.#join(work);
    this.#doomed = undefined;
    this.#afterCommit = [];
    this.#driver.exec('BEGIN IMMEDIATE');
    let result: T;
    try {
      result = refusePromise(work());
      if (this.#doomed !== undefined) throw this.#doomed;
      this.#driver.exec('COMMIT');
    } catch (error) {
      this.#afterCommit = [];
      // A full disk has rolled back by itself already.
      if (this.#driver.isTransaction) this.#driver.exec('ROLLBACK');
      throw error;
    }
    this.#runAfterCommit();
    return result;
  }

  /** An inner part that failed dooms the whole: what it had half written must not be committed by an outer `catch`. */
  #join<T>(work: () => T): T {
    try {
      return refusePromise(work());
    } catch (error) {
      this.#doomed ??= error ?? new Error('an inner transaction failed');
      throw error;
    }
  }

  afterCommit(after: () => void): void {
    if (this.#driver.isTransaction) this.#afterCommit.push(after);
    else after();
  }

  /** Each hook runs, whatever the others do, because each stands for something that is committed. */
  #runAfterCommit(): void {
    const waiting = this.#afterCommit;
    this.#afterCommit = [];
    const failures: unknown[] = [];
    for (const after of waiting) {
      try {
        after();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  close(): void {
    this.#statements.clear();
    if (!this.#driver.isOpen) return;
    try {
      // The driver's statements live until they are collected, so its close leaves the log unmerged.
      this.#driver.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // On a full disk the log stays beside the file, and the next open reads it.
    }
    this.#driver.close();
  }
}

/** Checks what the driver would store changed: it takes booleans and NaN silently and cuts text at a NUL. */
class CheckedStatement {
  readonly #driver: Driver;
  readonly #sql: string;
  readonly #names: ReadonlySet<string>;
  readonly #prepared: StatementSyncInstance;

  constructor(driver: Driver, sql: string) {
    this.#driver = driver;
    this.#sql = sql;
    this.#names = parameterNames(sql);
    this.#prepared = driver.prepare(sql);
  }

  get(parameters?: SqlParameters): unknown {
    return this.#prepared.get(this.#check(parameters)) ?? undefined;
  }

  all(parameters?: SqlParameters): unknown[] {
    return this.#prepared.all(this.#check(parameters));
  }

  /** Prepared anew, because running the shared one meanwhile would restart this iteration. */
  iterate(parameters?: SqlParameters): IterableIterator<unknown> {
    return this.#driver.prepare(this.#sql).iterate(this.#check(parameters));
  }

  run(parameters?: SqlParameters): { changes: number; lastInsertRowid: number } {
    const { changes, lastInsertRowid } = this.#prepared.run(this.#check(parameters));
    return { changes: Number(changes), lastInsertRowid: Number(lastInsertRowid) };
  }

  #check(parameters: SqlParameters = {}): SqlParameters {
    let given = 0;
    for (const name of Object.keys(parameters)) {
      if (!this.#names.has(name)) throw new UnstorableValue(`the statement has no parameter :${name}`, this.#sql);
      const problem = unstorable(parameters[name]);
      if (problem !== undefined) throw new UnstorableInput(problem, name, this.#sql);
      if (!isStored(parameters[name])) throw new UnstorableValue(`:${name} is of no type that is stored`, this.#sql);
      given += 1;
    }
    if (given === this.#names.size) return parameters;
    const missing = [...this.#names].filter((name) => !Object.hasOwn(parameters, name));
    throw new UnstorableValue(`no value for :${missing.join(', :')}`, this.#sql);
  }
}

function unstorable(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return value.includes('\0') ? 'text with a NUL character' : undefined;
    case 'number':
      if (!Number.isFinite(value)) return String(value);
      return Number.isInteger(value) && !Number.isSafeInteger(value) ? 'an integer beyond 2^53' : undefined;
    case 'bigint':
      return BigInt.asIntN(64, value) === value ? undefined : 'an integer beyond 64 bits';
    default:
      return undefined;
  }
}

function isStored(value: unknown): boolean {
  return value === null || value instanceof Uint8Array || ['string', 'number', 'bigint'].includes(typeof value);
}

/** Names after `:`, outside strings, quoted names and comments. */
function parameterNames(sql: string): ReadonlySet<string> {
  const bare = sql.replace(/'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\//g, ' ');
  return new Set([...bare.matchAll(/:([A-Za-z_][A-Za-z0-9_]*)/g)].map((match) => match[1]!));
}

function refusePromise<T>(result: T): T {
  if (result instanceof Promise) {
    result.catch(() => undefined);
    throw new TypeError('a transaction cannot wait: its work returned a promise');
  }
  return result;
}
