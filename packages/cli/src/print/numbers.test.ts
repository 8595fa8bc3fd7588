import { describe, expect, it } from 'vitest';
import { intervalText, numberText } from './numbers.ts';

describe('numbers for people', () => {
  it('keep the digits that matter and no exponent', () => {
    expect([0.98765, 12.3456, 151.26, -0.00004].map(numberText)).toEqual(['0.9877', '12.35', '151.3', '-0.0000']);
    expect(numberText(Number.NaN)).toBe('NaN');
  });

  it('give an interval its method, and its seed only where one was drawn', () => {
    expect(intervalText({ low: 0.97, high: 0.99, confidence: 0.95, method: 'DeLong (logit)', n: 171 })).toBe(
      '[0.9700, 0.9900]  DeLong (logit), n 171',
    );
    expect(intervalText({ low: 51.1, high: 62.345, confidence: 0.95, method: 'bootstrap', seed: 7, n: 133 })).toBe(
      '[51.10, 62.34]  bootstrap, seed 7, n 133',
    );
  });
});
