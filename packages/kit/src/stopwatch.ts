/**
 * How long real work takes: processes, requests, start-up. Nobody moves it, unlike the clock. Real durations are waited
 * for only here.
 */
export interface Stopwatch {
  /** Milliseconds since it was started, never decreasing. */
  elapsedMs(): number;
}

/** The longest a platform timer waits; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2_147_483_647;

export function stopwatch(): Stopwatch {
  const start = performance.now();
  return { elapsedMs: () => performance.now() - start };
}

/**
 * Calls `work` once after so much real time.
 *
 * @param options.keepAlive the process stays alive for it; by default it does not
 * @returns a function that cancels it
 */
export function after(ms: number, work: () => void, options: { readonly keepAlive?: boolean } = {}): () => void {
  const watch = stopwatch();
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const left = ms - watch.elapsedMs();
    timer = setTimeout(() => (left > LONGEST_TIMER_MS ? arm() : work()), Math.min(Math.max(left, 0), LONGEST_TIMER_MS));
    if (options.keepAlive !== true) timer.unref();
  };
  arm();
  return () => clearTimeout(timer);
}

/**
 * Waits so much real time, or until `signal` is aborted (then it rejects with the signal's reason). Unlike `after` it
 * keeps the process alive, because somebody waits for it.
 */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const cancel = after(
      ms,
      () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      },
      { keepAlive: true },
    );
    const abort = (): void => {
      cancel();
      reject(signal?.reason as Error);
    };
    signal?.addEventListener('abort', abort, { once: true });
  });
}

/** Real time that may be used up, once. */
export interface Deadline {
  /** Milliseconds left, 0 when it has passed. */
  leftMs(): number;
  readonly passed: boolean;
  /** Aborted when the time is up. */
  readonly signal: AbortSignal;
  /** Frees the timer; the signal is never aborted after. */
  cancel(): void;
}

export function deadline(ms: number): Deadline {
  const watch = stopwatch();
  const controller = new AbortController();
  const cancel = after(ms, () => controller.abort(new Error(`the deadline of ${Math.round(ms)} ms has passed`)));
  const leftMs = (): number => Math.max(0, ms - watch.elapsedMs());
  return {
    leftMs,
    get passed() {
      return leftMs() === 0;
    },
    signal: controller.signal,
    cancel,
  };
}
