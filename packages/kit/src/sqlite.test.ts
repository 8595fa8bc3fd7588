import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from './errors.ts';
import { isDiskFull, openDatabase, UnstorableValue, type Database, type SqlValue } from './sqlite.ts';

const MIGRATION = {
  version: 1,
  name: 'first',
  sql: 'CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT, real REAL, bytes BLOB) STRICT',
};
let db: Database;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-sqlite-'));
  db = openDatabase(join(folder, 'x.sqlite'), [MIGRATION]);
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true });
});

const insert = (text: string): void =>
  void db.statement<{ text: string }>('INSERT INTO t (text) VALUES (:text)').run({ text });
const texts = (): string[] =>
  db
    .statement<void, { text: string }>('SELECT text FROM t ORDER BY id')
    .all()
    .map((row) => row.text);

describe('bound values', () => {
  const put = (value: unknown): unknown =>
    db.statement<{ text: SqlValue }>('INSERT INTO t (text) VALUES (:text)').run({ text: value as SqlValue });

  it.each([
    ['undefined', undefined],
    ['true', true],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['a Date', new Date(0)],
    ['an object', {}],
    ['an array', ['a']],
    ['text with a NUL', 'a\0b'],
    ['an integer beyond 2^53', 2 ** 60],
    ['an integer beyond 64 bits', 2n ** 64n],
    ['a function', () => 1],
  ])('refuse %s before it is changed on its way', (_, value) => {
    expect(() => put(value)).toThrow(UnstorableValue);
    expect(texts()).toEqual([]);
  });

  it('must have exactly the statement’s names', () => {
    const statement = db.statement<Record<string, SqlValue>>(
      `INSERT INTO t (text, real) VALUES (:text, :real) -- :not_this
       ON CONFLICT DO UPDATE SET text = ':nor_this'`,
    );
    expect(() => statement.run({ text: 'a' })).toThrow('no value for :real');
    expect(() => statement.run({ text: 'a', real: 1, reel: 2 })).toThrow('no parameter :reel');
    expect(statement.run({ text: 'a', real: 1 }).changes).toBe(1);
  });

  it('come back as they went in', () => {
    const row = { text: 'é💡', real: 0.1, bytes: new Uint8Array([0, 255]) };
    db.statement<typeof row>('INSERT INTO t (text, real, bytes) VALUES (:text, :real, :bytes)').run(row);
    expect(db.statement<void, typeof row>('SELECT text, real, bytes FROM t').get()).toEqual(row);
    expect(db.statement<void>('SELECT text FROM t WHERE id = 9').get()).toBeUndefined();
  });
});

describe('transactions', () => {
  it('roll back everything when the work throws, and run no hook', () => {
    expect(() =>
      db.transaction(() => {
        insert('a');
        db.afterCommit(() => expect.unreachable());
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(texts()).toEqual([]);
    expect(db.inTransaction).toBe(false);
  });

  it('join the outer one, whose hooks run once it has committed', () => {
    const seen: unknown[] = [];
    db.transaction(() => {
      db.transaction(() => {
        insert('a');
        db.afterCommit(() => seen.push(['hook', db.inTransaction, texts()]));
      });
      seen.push('inner done');
      insert('b');
    });
    expect(seen).toEqual(['inner done', ['hook', false, ['a', 'b']]]);
  });

  it('do not commit what a failed inner part half wrote, even if its error is caught', () => {
    expect(() =>
      db.transaction(() => {
        insert('outer');
        try {
          db.transaction(() => {
            insert('half');
            throw new Error('inner');
          });
        } catch {
          insert('after');
        }
      }),
    ).toThrow('inner');
    expect(texts()).toEqual([]);
    db.transaction(() => insert('next'));
    expect(texts()).toEqual(['next']);
  });

  it('refuse work that waits', () => {
    expect(() => db.transaction(async () => insert('a'))).toThrow('cannot wait');
    expect(texts()).toEqual([]);
  });

  it('run every hook, also when one throws, and a hook may begin a transaction', () => {
    expect(() =>
      db.transaction(() => {
        db.afterCommit(() => {
          throw new Error('hook');
        });
        db.afterCommit(() => db.transaction(() => insert('from a hook')));
        insert('a');
      }),
    ).toThrow('hook');
    expect(texts()).toEqual(['a', 'from a hook']);
  });

  it('survive a full disk: nothing is half written, and it goes on when there is room', () => {
    db.exec('PRAGMA max_page_count = 8');
    let error: unknown;
    try {
      db.transaction(() => {
        for (let n = 0; n < 100; n += 1) insert('x'.repeat(1_000));
      });
    } catch (thrown) {
      error = thrown;
    }
    expect(isDiskFull(error)).toBe(true);
    expect(texts()).toEqual([]);
    db.exec('PRAGMA max_page_count = 1000000');
    db.transaction(() => insert('room'));
    expect(texts()).toEqual(['room']);
  });
});

describe('statements', () => {
  it('can be run again while they are iterated', () => {
    ['a', 'b', 'c'].forEach(insert);
    const statement = db.statement<void, { text: string }>('SELECT text FROM t ORDER BY id');
    const seen: string[] = [];
    for (const { text } of statement.iterate()) {
      seen.push(text);
      expect(statement.all()).toHaveLength(3);
    }
    expect(seen).toEqual(['a', 'b', 'c']);
  });
});

describe('migrations', () => {
  const second = { version: 2, name: 'second', sql: 'ALTER TABLE t ADD COLUMN more TEXT' };
  const reopen = (migrations: readonly (typeof MIGRATION)[]): void => {
    db.close();
    db = openDatabase(join(folder, 'x.sqlite'), migrations);
  };

  it('run once each, in order, and keep the data', () => {
    insert('kept');
    reopen([MIGRATION, second]);
    reopen([MIGRATION, second]);
    expect(db.statement('SELECT text, more FROM t').get()).toEqual({ text: 'kept', more: null });
  });

  it('leave the old schema whole when one fails midway', () => {
    const broken = {
      version: 2,
      name: 'broken',
      sql: 'CREATE TABLE u (id INTEGER) STRICT; CREATE TABLE t (id INTEGER)',
    };
    expect(() => reopen([MIGRATION, broken])).toThrow('already exists');
    reopen([MIGRATION, second]);
    expect(() => db.exec('SELECT * FROM u')).toThrow('no such table');
  });

  it('refuse a file that newer code wrote, in a sentence', () => {
    reopen([MIGRATION, second]);
    expect(() => reopen([MIGRATION])).toThrow(UserError);
    expect(() => reopen([MIGRATION])).toThrow(/newer version of Slipway.*version 2.*up to 1/);
  });

  it('must stand in order', () => {
    expect(() => reopen([second, MIGRATION])).toThrow('stands after');
  });
});
