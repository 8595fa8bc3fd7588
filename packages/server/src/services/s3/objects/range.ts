import { AwsError } from '../../../wire/errors.ts';
import type { Stretch } from '../blobs/read.ts';

/**
 * The stretch a Range header asks for; undefined for the whole. As S3 does, a range it cannot read and a list of several
 * are ignored.
 *
 * Worked examples for 10 bytes: `bytes=2-4` gives [2, 5), `bytes=8-99` gives [8, 10), `bytes=-3` gives [7, 10).
 *
 * @throws InvalidRange (416) when no byte is in it
 */
export function parseRange(range: string | undefined, size: number): Stretch | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(range?.trim() ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
  let start: number;
  let end = size;
  if (first === '') {
    start = Math.max(0, size - Number(last));
  } else {
    start = Number(first);
    if (last !== '') {
      if (Number(last) < start) return undefined;
      end = Math.min(size, Number(last) + 1);
    }
  }
  if (start < end) return { start, end };
  throw new AwsError('InvalidRange', 416, 'The requested range is not satisfiable', {
    RangeRequested: range,
    ActualObjectSize: size,
  });
}

export const contentRange = (stretch: Stretch, size: number): string =>
  `bytes ${stretch.start}-${stretch.end - 1}/${size}`;
