import { describe, expect, it, vi } from 'vitest';
import fc from 'fast-check';
import { ManualClock, systemClock } from './clock.ts';

describe('the manual clock', () => {
  it('runs each due alarm at its own instant, in order, whatever the order of setting', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000), { maxLength: 30 }), fc.nat(1_200), (delays, advance) => {
        const clock = new ManualClock(0);
        const rung: { due: number; at: number }[] = [];
        for (const due of delays) clock.alarm(due, () => rung.push({ due, at: clock.now() }));
        clock.advance(advance);
        const expected = delays.filter((due) => due <= advance).sort((a, b) => a - b);
        expect(rung.map(({ due }) => due)).toEqual(expected);
        expect(rung.every(({ due, at }) => at === due)).toBe(true);
        expect(clock.now()).toBe(advance);
      }),
    );
  });

  it('lets an alarm set a further one that is due in the same move', () => {
    const clock = new ManualClock(0);
    const rung: number[] = [];
    const again = (): void => {
      rung.push(clock.now());
      clock.alarm(clock.now() + 10, again);
    };
    clock.alarm(10, again);
    clock.advance(35);
    expect(rung).toEqual([10, 20, 30]);
  });

  it('does not ring a cancelled alarm', () => {
    const clock = new ManualClock(0);
    const cancel = clock.alarm(5, () => expect.unreachable());
    cancel();
    cancel();
    clock.advance(10);
    expect(clock.nextAlarm()).toBeUndefined();
  });

  it('refuses to go backwards', () => {
    expect(() => new ManualClock(0).advance(-1)).toThrow('moves forward');
    expect(() => new ManualClock(0).advance(Number.NaN)).toThrow(RangeError);
  });
});

describe('the system clock', () => {
  it('rings an alarm years ahead as soon as it is advanced past it', () => {
    const clock = systemClock();
    const year = 366 * 86_400_000;
    let rung = 0;
    clock.alarm(clock.now() + 3 * year, () => (rung += 1));
    clock.advance(year);
    expect(rung).toBe(0);
    clock.advance(2 * year + 1);
    expect(rung).toBe(1);
    expect(clock.offsetMs).toBe(3 * year + 1);
  });

  it('stands still instead of following a wall time that is set back', () => {
    vi.useFakeTimers({ now: 5_000_000 });
    try {
      const clock = systemClock({ offsetMs: 100 });
      expect(clock.now()).toBe(5_000_100);
      vi.setSystemTime(1_000_000);
      expect(clock.now()).toBe(5_000_100);
      vi.setSystemTime(6_000_000);
      expect(clock.now()).toBe(6_000_100);
    } finally {
      vi.useRealTimers();
    }
  });

  it('rings by the platform’s time, past what one timer can wait', () => {
    vi.useFakeTimers({ now: 0 });
    try {
      const clock = systemClock();
      const month = 30 * 86_400_000;
      let rungAt = 0;
      clock.alarm(month, () => (rungAt = clock.now()));
      vi.advanceTimersByTime(month - 1);
      expect(rungAt).toBe(0);
      vi.advanceTimersByTime(1);
      expect(rungAt).toBe(month);
    } finally {
      vi.useRealTimers();
    }
  });
});
