import { UserError } from './errors.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Longer ones are typing errors, and instants beyond the year 9999 break clients. */
const LONGEST_MS = 3650 * 86_400_000;

/**
 * Reads a duration as people write it: `90s`, `15m`, `2h`, `7d`, `1w`, also `1h30m`.
 *
 * @returns milliseconds
 * @throws UserError for anything else, for a bare number too, because its unit would be a guess
 */
export function parseDuration(text: string): number {
  const trimmed = text.trim();
  if (!/^(\d{1,9}(\.\d{1,3})?(ms|[smhdw]))+$/.test(trimmed)) throw notADuration(text, 'it is not a number with a unit');
  let ms = 0;
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdw])/g)) {
    ms += Number(amount) * UNIT_MS[unit!]!;
  }
  if (ms > LONGEST_MS) throw notADuration(text, 'it is longer than ten years');
  return Math.round(ms);
}

function notADuration(text: string, why: string): UserError {
  return new UserError({
    what: `"${text.slice(0, 40)}" is not a duration: ${why}.`,
    next: 'Write for example 90s, 15m, 2h, 7d or 1w.',
  });
}

/** Milliseconds for people, two units at most: `820 ms`, `4.2 s`, `3 min 20 s`, `2 h 5 min`, `7 d`. */
export function formatDuration(ms: number): string {
  if (ms < 0) return `-${formatDuration(-ms)}`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1).replace(/\.0$/, '')} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return two(Math.floor(seconds / 60), 'min', seconds % 60, 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return two(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.round(minutes / 60);
  return two(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}
