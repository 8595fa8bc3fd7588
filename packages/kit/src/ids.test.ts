import { describe, expect, it } from 'vitest';
import { ManualClock } from './clock.ts';
import { seededIds, systemIds } from './ids.ts';

describe('ids', () => {
  it('are ULIDs that strictly increase within a millisecond and with the clock', () => {
    const clock = new ManualClock();
    const ids = systemIds(clock);
    const made: string[] = [];
    for (let round = 0; round < 50; round += 1) {
      for (let n = 0; n < 50; n += 1) made.push(ids.ulid());
      clock.advance(1);
    }
    expect([...made].sort()).toEqual(made);
    expect(new Set(made).size).toBe(made.length);
    expect(made.every((id) => /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(id))).toBe(true);
  });

  it('carry the clock’s time in a ULID’s first ten characters', () => {
    // 1469918176385 is the example of the ULID specification.
    expect(systemIds(new ManualClock(1_469_918_176_385)).ulid().slice(0, 10)).toBe('01ARYZ6S41');
  });

  it('are the same again for the same seed, and others for another', () => {
    const draw = (seed: number): string[] => {
      const ids = seededIds(seed, new ManualClock());
      return [ids.ulid(), ids.uuid(), ids.hex(7)];
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  it('are version 4 UUIDs and as many hexadecimal digits as asked for', () => {
    const ids = systemIds(new ManualClock());
    expect(ids.uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(ids.hex(7)).toMatch(/^[0-9a-f]{7}$/);
    expect(ids.hex(0)).toBe('');
  });
});
