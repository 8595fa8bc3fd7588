import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanLine, maxLineBytes, splitLines } from './lines.ts';
import { parsePattern } from './pattern.ts';

describe('lines', () => {
  it('show a tab as #011, as the metric patterns of the built-in algorithms expect', () => {
    expect(cleanLine(Buffer.from('[0]\ttrain-rmse:0.5\tvalidation-rmse:0.6\r'))).toBe(
      '[0]#011train-rmse:0.5#011validation-rmse:0.6',
    );
  });

  it('have no control characters, and a sign where bytes are not UTF-8', () => {
    const bytes = Buffer.concat([Buffer.from('\u001b[1mä'), Buffer.from([0xc3, 0x28, 0x00])]);
    expect(cleanLine(bytes)).toBe('#033[1mä\ufffd(#000');
  });

  it('are split at line feeds, without empty ones, and the last only when it is wanted', () => {
    const bytes = Buffer.from('one\n\ntwo\nthr');
    const { lines, end } = splitLines(bytes, 100, false);
    expect(lines).toEqual([
      { offset: 100, end: 104, message: 'one' },
      { offset: 105, end: 109, message: 'two' },
    ]);
    expect(end).toBe(109);
    expect(splitLines(bytes, 100, true).lines.at(-1)).toEqual({ offset: 109, end: 112, message: 'thr' });
  });

  it('longer than 256 KB become several, never cut within a character', () => {
    const text = 'ä'.repeat(maxLineBytes);
    const { lines } = splitLines(Buffer.from(`x${text}\nnext\n`), 0, false);
    const pieces = lines.slice(0, -1).map(({ message }) => message);
    expect(pieces.join('')).toBe(`x${text}`);
    expect(pieces.every((piece) => Buffer.byteLength(piece) <= maxLineBytes)).toBe(true);
    expect(lines.at(-1)?.message).toBe('next');
  });

  it('are the same whether a file is read at once or from any line on', () => {
    const text = fc.array(fc.string({ unit: 'grapheme-ascii', maxLength: 12 }), { maxLength: 20 });
    fc.assert(
      fc.property(text, fc.nat(20), (parts, from) => {
        const bytes = Buffer.from(parts.map((part) => `${part}\n`).join(''));
        const all = splitLines(bytes, 0, true).lines;
        const start = all[from]?.offset ?? 0;
        expect(splitLines(bytes.subarray(start), start, true).lines).toEqual(all.slice(all[from] ? from : 0));
      }),
    );
  });
});

describe('filter patterns', () => {
  it.each([
    ['', 'anything', true],
    ['ERROR', 'an ERROR here', true],
    ['ERROR', 'an error here', false],
    ['ERROR memory', 'ERROR: out of memory', true],
    ['ERROR memory', 'ERROR: disk', false],
    ['"out of memory"', 'ERROR: out of memory', true],
    ['ERROR -memory', 'ERROR: out of memory', false],
    ['?ERROR ?WARN', 'WARN: slow', true],
    ['?ERROR ?WARN', 'INFO: fine', false],
  ])('%s of "%s" is %s', (pattern, message, expected) => {
    expect(parsePattern(pattern)(message)).toBe(expected);
  });

  it.each(['{ $.level = "ERROR" }', '[ip, user]', '%ERR.R%'])('%s is refused by name', (pattern) => {
    expect(() => parsePattern(pattern)).toThrow('not implemented');
  });
});
