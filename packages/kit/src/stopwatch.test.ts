import { describe, expect, it, vi } from 'vitest';
import { after, deadline, pause, stopwatch } from './stopwatch.ts';

/** The platform's timers are the edge of the world here, so they are faked. */
async function withFakeTimers(work: () => void | Promise<void>): Promise<void> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  try {
    await work();
  } finally {
    vi.useRealTimers();
  }
}

describe('the stopwatch', () => {
  it('never runs backwards', () => {
    const watch = stopwatch();
    const first = watch.elapsedMs();
    expect(watch.elapsedMs()).toBeGreaterThanOrEqual(first);
    expect(first).toBeGreaterThanOrEqual(0);
  });

  it('waits longer than one platform timer can', async () => {
    await withFakeTimers(() => {
      const month = 30 * 86_400_000;
      let called = 0;
      after(month, () => (called += 1));
      vi.advanceTimersByTime(month - 1);
      expect(called).toBe(0);
      vi.advanceTimersByTime(1);
      expect(called).toBe(1);
    });
  });

  it('aborts a deadline’s signal when its time is up, and not after it was cancelled', async () => {
    await withFakeTimers(() => {
      const [kept, cancelled] = [deadline(100), deadline(100)];
      cancelled.cancel();
      vi.advanceTimersByTime(60);
      expect(kept.leftMs()).toBe(40);
      expect(kept.passed).toBe(false);
      vi.advanceTimersByTime(40);
      expect([kept.passed, kept.signal.aborted, cancelled.signal.aborted]).toEqual([true, true, false]);
    });
  });

  it('ends a pause early when its signal is aborted', async () => {
    const controller = new AbortController();
    const paused = pause(1e9, controller.signal);
    controller.abort(new Error('enough'));
    await expect(paused).rejects.toThrow('enough');
    await expect(pause(1, controller.signal)).rejects.toThrow('enough');
  });
});
