import { systemClock, type SystemClock } from '@slipway/kit/clock';
import type { Database } from '@slipway/kit/sqlite';

const SELECT_OFFSET = `SELECT value FROM meta WHERE name = 'clock-offset-ms'`;
const WRITE_OFFSET = `
  INSERT INTO meta (name, value) VALUES ('clock-offset-ms', :value)
  ON CONFLICT (name) DO UPDATE SET value = excluded.value
`;

/**
 * The data folder's clock. It is where it was left: a move is written before it is made, so that a server that dies
 * just after never finds rows from the future.
 */
export function openClock(db: Database): SystemClock {
  const read = db.statement<void, { value: string }>(SELECT_OFFSET);
  const write = db.statement<{ value: string }>(WRITE_OFFSET);
  const inner = systemClock({ offsetMs: Number(read.get()?.value ?? 0) });
  return {
    now: () => inner.now(),
    alarm: (at, wake) => inner.alarm(at, wake),
    get offsetMs() {
      return inner.offsetMs;
    },
    advance(ms) {
      if (ms > 0) write.run({ value: String(inner.offsetMs + Math.round(ms)) });
      inner.advance(ms);
    },
  };
}
