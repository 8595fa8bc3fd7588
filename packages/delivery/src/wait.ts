import { setTimeout as pause } from 'node:timers/promises';
import { Interrupted } from './errors.ts';

/** Between two looks: short at first, because a local job may be done at once, longer as the wait grows. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;
const GROWTH = 1.4;

/**
 * Describes until there is an answer. What ends the wait is always the service's own word, never a count of looks:
 * the time-outs of AWS objects are the service's.
 *
 * @throws Interrupted when the signal fires; what was waited for goes on
 */
export async function waitFor<T>(
  subject: string,
  signal: AbortSignal | undefined,
  look: () => Promise<T | undefined>,
): Promise<T> {
  let delayMs = FIRST_PAUSE_MS;
  for (;;) {
    if (signal?.aborted) throw new Interrupted(subject);
    const found = await look();
    if (found !== undefined) return found;
    try {
      await pause(delayMs, undefined, signal === undefined ? {} : { signal });
    } catch {
      throw new Interrupted(subject);
    }
    delayMs = Math.min(LONGEST_PAUSE_MS, delayMs * GROWTH);
  }
}
