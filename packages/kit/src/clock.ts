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

/** A clock that people and tests move forward. It never runs backwards. */
export interface AdvanceableClock extends Clock {
  /** Moves the clock forward and calls the alarms that have become due, in time order. */
  advance(ms: number): void;
}

/** The platform's time plus an offset. */
export interface SystemClock extends AdvanceableClock {
  /** How far the clock runs ahead of the platform's time; kept across restarts by whoever owns the data folder. */
  readonly offsetMs: number;
}

interface Alarm {
  readonly at: Instant;
  readonly order: number;
  readonly wake: () => void;
}

/** Alarms look again at least this often, because a laptop's sleep and a corrected wall time stop or move timers. */
const LOOK_AGAIN_MS = 60_000;

/**
 * The platform's time, `offsetMs` ahead. It stands still rather than run backwards when the wall time is set back.
 * Its alarms never keep a process alive.
 */
export function systemClock(options: { readonly offsetMs?: number } = {}): SystemClock {
  const alarms = new Alarms();
  let offsetMs = Math.round(options.offsetMs ?? 0);
  let latest = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  const now = (): Instant => (latest = Math.max(latest, Date.now() + offsetMs));
  const arm = (): void => {
    clearTimeout(timer);
    const next = alarms.next();
    if (next === undefined) return;
    timer = setTimeout(ring, Math.min(Math.max(next - now(), 0), LOOK_AGAIN_MS));
    timer.unref();
  };
  const ring = (): void => {
    try {
      alarms.ring(now());
    } finally {
      arm();
    }
  };
  return {
    now,
    get offsetMs() {
      return offsetMs;
    },
    alarm(at, wake) {
      const cancel = alarms.add(at, wake);
      arm();
      return () => {
        if (cancel()) arm();
      };
    },
    advance(ms) {
      offsetMs += checkAdvance(ms);
      ring();
    },
  };
}

/** A clock for tests: it moves only when it is told to, and stops at each alarm on the way. */
export class ManualClock implements AdvanceableClock {
  readonly #alarms = new Alarms();
  #now: Instant;

  constructor(start: Instant = Date.UTC(2026, 0, 1)) {
    this.#now = start;
  }

  now(): Instant {
    return this.#now;
  }

  alarm(at: Instant, wake: () => void): () => void {
    return this.#alarms.add(at, wake);
  }

  /** The next alarm's instant, for a test that wants to go straight there. */
  nextAlarm(): Instant | undefined {
    return this.#alarms.next();
  }

  /** Runs each due alarm at its own instant, letting it set further ones before the next runs. */
  advance(ms: number): void {
    const target = this.#now + checkAdvance(ms);
    for (;;) {
      const next = this.#alarms.next();
      if (next === undefined || next > target) break;
      this.#now = Math.max(this.#now, next);
      this.#alarms.ringFirst();
    }
    this.#now = target;
  }
}

/** Alarms in time order; equal instants in the order in which they were set. */
class Alarms {
  readonly #waiting: Alarm[] = [];
  #order = 0;

  add(at: Instant, wake: () => void): () => boolean {
    if (!Number.isFinite(at)) throw new RangeError(`an alarm cannot be set for ${at}`);
    const alarm: Alarm = { at, order: this.#order++, wake };
    let index = this.#waiting.length;
    while (index > 0 && this.#waiting[index - 1]!.at > at) index -= 1;
    this.#waiting.splice(index, 0, alarm);
    return () => {
      const place = this.#waiting.indexOf(alarm);
      if (place >= 0) this.#waiting.splice(place, 1);
      return place >= 0;
    };
  }

  next(): Instant | undefined {
    return this.#waiting[0]?.at;
  }

  ringFirst(): void {
    this.#waiting.shift()?.wake();
  }

  /** Rings what is due; an alarm set meanwhile waits for the next look, so that a busy one cannot hold the thread. */
  ring(now: Instant): void {
    const limit = this.#order;
    for (;;) {
      const index = this.#waiting.findIndex((alarm) => alarm.at <= now && alarm.order < limit);
      if (index < 0) return;
      this.#waiting.splice(index, 1)[0]!.wake();
    }
  }
}

function checkAdvance(ms: number): number {
  if (Number.isFinite(ms) && ms >= 0) return Math.round(ms);
  throw new RangeError(`a clock moves forward by a number of milliseconds, not by ${ms}`);
}
