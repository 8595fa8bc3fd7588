import type { AdvanceableClock, Instant } from '../clock.ts';
import type { MachineRunner } from './runner.ts';

/**
 * Moves a clock forward and runs every step that becomes due on the way at its own instant, in order, waiting for the
 * effects in flight before time goes on. So a month passes as it would have, only faster.
 *
 * @param signal gives up waiting; the clock stays where it is then
 * @returns the clock's time after it
 */
export async function advanceClock(
  clock: AdvanceableClock,
  runner: MachineRunner,
  ms: number,
  signal?: AbortSignal,
): Promise<Instant> {
  const idle = async (): Promise<void> => await orAborted(runner.idle(), signal);
  // What is due by now was due before this call, so it runs before the way is measured.
  await idle();
  const target = clock.now() + ms;
  for (;;) {
    signal?.throwIfAborted();
    const next = runner.nextWake();
    if (next === undefined || next > target) break;
    clock.advance(Math.max(0, next - clock.now()));
    await idle();
  }
  clock.advance(Math.max(0, target - clock.now()));
  await idle();
  return clock.now();
}

async function orAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return await work;
  signal.throwIfAborted();
  let abort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
