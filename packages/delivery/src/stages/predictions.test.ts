import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCsv, parsePredictions } from './predictions.ts';

describe('predictions.csv', () => {
  test('gives columns of equal length, the champion only where it was scored', () => {
    const table = parsePredictions('id,y,challenger,champion,trivial\na,1,0.5,0.25,0.4\nb,0,0.125,0.5,0.4\n');
    expect([...table.y]).toEqual([1, 0]);
    expect([...(table.champion ?? [])]).toEqual([0.25, 0.5]);
    expect(table.trivial).toBe(0.4);
    expect(parsePredictions('id,y,challenger,champion,trivial\na,1,0.5,,0.4\n').champion).toBeUndefined();
  });

  test('names the row and the column of a cell that is no number', () => {
    expect(() => parsePredictions('id,y,challenger,trivial\na,1,x,0\n')).toThrow(/row 1: challenger is "x"/);
    expect(() => parsePredictions('id,y,challenger,trivial\na,1,,0\n')).toThrow(/challenger is ""/);
  });

  test('says which column is missing', () => {
    expect(() => parsePredictions('id,y\n1,1\n')).toThrow(/no column challenger/);
  });

  test('reads back any cells that were quoted as RFC 4180 says', () => {
    const cell = fc.string({ minLength: 1 }).map((text) => text.replaceAll('\r', ''));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constant('x'), cell), { minLength: 1 }), (rows) => {
        const quote = (text: string): string => `"${text.replaceAll('"', '""')}"`;
        const text = rows.map((row) => row.map(quote).join(',')).join('\n');
        expect(parseCsv(text)).toEqual(rows);
      }),
    );
  });
});
