import { createHash } from 'node:crypto';
import type { Owner } from '@slipway/kit/machine';
import type { Database, SqlParameters, SqlValue, Statement } from '@slipway/kit/sqlite';
import { ValidationException } from '../../wire/errors.ts';

/** One `AND` of a list's WHERE, with the parameters it names. */
export interface Condition {
  readonly sql: string;
  readonly parameters: SqlParameters;
}

export interface ListingOptions {
  readonly db: Database;
  readonly table: string;
  /** Columns of a row, without `sequence`. */
  readonly columns: string;
  /** What holds for every row of this list, for example `kind = 'training' AND deleted = 0`. */
  readonly always?: string;
  /** Column of each SortBy value. `sequence` stands for the order of creation. */
  readonly sorts: Readonly<Record<string, string>>;
}

export interface PageQuery {
  readonly owner: Owner;
  readonly sortBy: string;
  readonly descending: boolean;
  readonly maxResults: number | undefined;
  readonly nextToken: string | undefined;
  readonly conditions: readonly (Condition | undefined)[];
}

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** Absent on the last page, as AWS omits it. */
  readonly nextToken: string | undefined;
}

export interface Listing<Row> {
  page(query: PageQuery): Page<Row>;
}

/** AWS's page when MaxResults is absent; scripts that do not page see this many. */
const DEFAULT_PAGE = 10;

type Cursor = readonly [digest: string, value: string | number, sequence: number];
type Sequenced = { readonly sequence: number };

/**
 * Lists by keyset: a page continues after the last row it gave, so rows added meanwhile neither repeat nor hide others,
 * and each page costs an index seek whatever its number. Only the conditions that are asked for are in the SQL, so that
 * SQLite picks the index that fits.
 */
export function listing<Row>(options: ListingOptions): Listing<Row> {
  const statements = new Map<string, Statement<SqlParameters, Row & Sequenced & Record<string, SqlValue>>>();
  return {
    page(query) {
      const sort = options.sorts[query.sortBy];
      if (sort === undefined) throw new ValidationException(`SortBy ${query.sortBy} is not supported for this list.`);
      const conditions = query.conditions.filter((condition) => condition !== undefined);
      const digest = digestOf([options.table, query.sortBy, query.descending, conditions]);
      const cursor = query.nextToken === undefined ? undefined : cursorOf(query.nextToken, digest);
      const limit = query.maxResults ?? DEFAULT_PAGE;
      const sql = sqlOf(options, sort, query.descending, conditions, cursor !== undefined);
      let statement = statements.get(sql);
      if (statement === undefined) statements.set(sql, (statement = options.db.statement(sql)));
      const rows = statement.all({
        account: query.owner.account,
        region: query.owner.region,
        ...Object.assign({}, ...conditions.map((condition) => condition.parameters)),
        ...(cursor === undefined ? {} : { cursorSequence: cursor[2] }),
        ...(cursor === undefined || sort === 'sequence' ? {} : { cursorValue: cursor[1] }),
        limit: limit + 1,
      });
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      const nextToken =
        last === undefined ? undefined : tokenOf([digest, last[sort] as string | number, last.sequence]);
      return { rows: rows.slice(0, limit), nextToken };
    },
  };
}

function sqlOf(
  options: ListingOptions,
  sort: string,
  descending: boolean,
  conditions: readonly Condition[],
  continued: boolean,
): string {
  const order = descending ? 'DESC' : 'ASC';
  const beyond = descending ? '<' : '>';
  const after =
    sort === 'sequence'
      ? `sequence ${beyond} :cursorSequence`
      : `(${sort}, sequence) ${beyond} (:cursorValue, :cursorSequence)`;
  const where = [
    'account = :account AND region = :region',
    ...(options.always === undefined ? [] : [options.always]),
    ...conditions.map((condition) => condition.sql),
    ...(continued ? [after] : []),
  ];
  const orderBy = sort === 'sequence' ? `sequence ${order}` : `${sort} ${order}, sequence ${order}`;
  return `SELECT sequence, ${options.columns} FROM ${options.table}
          WHERE ${where.join(' AND ')} ORDER BY ${orderBy} LIMIT :limit`;
}

function digestOf(query: unknown): string {
  return createHash('sha256').update(JSON.stringify(query)).digest('base64url').slice(0, 16);
}

function tokenOf(cursor: Cursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url');
}

/** A token is only good for the query that gave it: with other filters or another order it would skip rows silently. */
function cursorOf(token: string, digest: string): Cursor {
  let cursor: unknown;
  try {
    cursor = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
  } catch {
    cursor = undefined;
  }
  if (!isCursor(cursor) || cursor[0] !== digest) {
    throw new ValidationException('The pagination token is invalid or belongs to a request with other parameters.');
  }
  return cursor;
}

function isCursor(value: unknown): value is Cursor {
  if (!Array.isArray(value) || value.length !== 3) return false;
  const [digest, at, sequence] = value as unknown[];
  return (
    typeof digest === 'string' && (typeof at === 'string' || typeof at === 'number') && Number.isSafeInteger(sequence)
  );
}

/** `column <op> :parameter`, or nothing where the request has no such filter. */
export function compare(
  column: string,
  operator: '=' | '>' | '<',
  parameter: string,
  value: string | number | Date | undefined,
): Condition | undefined {
  if (value === undefined) return undefined;
  const plain = value instanceof Date ? value.getTime() : value;
  return { sql: `${column} ${operator} :${parameter}`, parameters: { [parameter]: plain } };
}

export function nameContains(text: string | undefined): Condition | undefined {
  if (text === undefined || text === '') return undefined;
  return { sql: 'instr(name, :nameContains) > 0', parameters: { nameContains: text } };
}

/**
 * What every list of SageMaker's takes: order, page size and token.
 *
 * @param newestFirst whether the list runs downwards when nobody says; AWS's lists differ
 */
export function paging(
  owner: Owner,
  input: {
    readonly SortBy?: string | undefined;
    readonly SortOrder?: string | undefined;
    readonly MaxResults?: number | undefined;
    readonly NextToken?: string | undefined;
  },
  newestFirst: boolean,
): Omit<PageQuery, 'conditions'> {
  const { SortBy: sortBy = 'CreationTime', SortOrder, MaxResults: maxResults, NextToken: nextToken } = input;
  const descending = SortOrder === undefined ? newestFirst : SortOrder === 'Descending';
  return { owner, sortBy, descending, maxResults, nextToken };
}

/** The four time filters that most lists have. */
export function timeFilters(input: {
  readonly CreationTimeAfter?: Date | undefined;
  readonly CreationTimeBefore?: Date | undefined;
  readonly LastModifiedTimeAfter?: Date | undefined;
  readonly LastModifiedTimeBefore?: Date | undefined;
}): readonly (Condition | undefined)[] {
  return [
    compare('created_at', '>', 'createdAfter', input.CreationTimeAfter),
    compare('created_at', '<', 'createdBefore', input.CreationTimeBefore),
    compare('modified_at', '>', 'modifiedAfter', input.LastModifiedTimeAfter),
    compare('modified_at', '<', 'modifiedBefore', input.LastModifiedTimeBefore),
  ];
}
