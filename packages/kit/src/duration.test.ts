import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from './duration.ts';
import { UserError } from './errors.ts';

describe('parseDuration', () => {
  it.each([
    ['90s', 90_000],
    ['15m', 900_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['1w', 604_800_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['250ms', 250],
    [' 0s ', 0],
  ])('reads %s', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(['', '5', 'm', '-5m', '5 m', '5M', '1e3s', '5min', '99999999999s', '9999w', '٣s', 'NaNs'])(
    'refuses "%s" and says how to write one',
    (text) => {
      expect(() => parseDuration(text)).toThrow(UserError);
      expect(() => parseDuration(text)).toThrow(/Write for example 90s/);
    },
  );

  it('fails only with its own error, whatever it is given', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 30 }), (text) => {
        try {
          expect(parseDuration(text)).toBeGreaterThanOrEqual(0);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
    );
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0 ms'],
    [820, '820 ms'],
    [999.7, '1 s'],
    [4_234, '4.2 s'],
    [59_960, '1 min'],
    [200_000, '3 min 20 s'],
    [7_500_000, '2 h 5 min'],
    [3_599_900, '1 h'],
    [604_800_000, '7 d'],
    [90_000_000, '1 d 1 h'],
    [-1_500, '-1.5 s'],
  ])('prints %d ms as %s', (ms, text) => expect(formatDuration(ms)).toBe(text));
});
