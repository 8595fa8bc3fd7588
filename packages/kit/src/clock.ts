/** Milliseconds since the Unix epoch, on a `Clock`. */
export type Instant = number;

/**
 * The time that AWS objects live on: creation times, bakes, schedules, time-outs. It can be advanced, so nothing may
 * measure real work with it (see `stopwatch.ts`). Only this file reads the platform's wall time.
 */
export interface Clock {
  now(): Instant;
  /**
   * Calls `wake` once when `now() >= at`. Only an alarm clock: the truth is in rows, and losing an alarm loses nothing.
   *
   * @returns a function that cancels the alarm
   */
  alarm(at: Instant, wake: () => void): () => void;
}
