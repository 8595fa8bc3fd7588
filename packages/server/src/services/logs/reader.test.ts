import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogReader, maxPageBytes } from './reader.ts';
import type { EventQuery, LogEvent } from './reader.ts';
import { openTimes } from './times.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-logs-'));
  path = join(folder, 'log');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const everything: EventQuery = { limit: 10_000, startTime: undefined, endTime: undefined };

/** Writes lines, each seen by the supervisor at its own time: 1000, 2000, … */
function write(lines: readonly string[], indexed = lines.length): void {
  let size = 0;
  let index = '';
  for (const [number, line] of lines.entries()) {
    size += Buffer.byteLength(line) + 1;
    if (number < indexed) index += `${(number + 1) * 1000} ${size}\n`;
  }
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  writeFileSync(`${path}.index`, index);
}

async function reading<T>(work: (reader: LogReader) => Promise<T>): Promise<T> {
  const reader = await LogReader.open(path);
  if (reader === undefined) throw new Error('there is no log');
  try {
    return await work(reader);
  } finally {
    await reader.close();
  }
}

const shown = (events: readonly LogEvent[]): [number, string][] =>
  events.map(({ timestamp, message }) => [timestamp, message]);

describe('a log file', () => {
  it('gives each line the time at which it was seen', async () => {
    write(['one', 'two', 'three']);
    const { events } = await reading((reader) => reader.forwards(0, everything));
    expect(shown(events)).toEqual([
      [1000, 'one'],
      [2000, 'two'],
      [3000, 'three'],
    ]);
  });

  it('is read in pages that neither repeat nor leave out a line, in both directions', async () => {
    const lines = fc.array(fc.stringMatching(/^[a-z]{1,9}$/), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(lines, fc.integer({ min: 1, max: 7 }), async (written, limit) => {
        write(written);
        const forwards: string[] = [];
        for (let offset = 0; ;) {
          const page = await reading((reader) => reader.forwards(offset, { ...everything, limit }));
          if (page.events.length === 0) break;
          forwards.push(...page.events.map(({ message }) => message));
          offset = page.forward;
        }
        expect(forwards).toEqual(written);
        const backwards: string[] = [];
        for (let offset: number | undefined; ;) {
          const page = await reading((reader) => reader.backwards(offset, { ...everything, limit }));
          if (page.events.length === 0) break;
          backwards.unshift(...page.events.map(({ message }) => message));
          offset = page.backward;
        }
        expect(backwards).toEqual(written);
      }),
      { numRuns: 30 },
    );
  });

  it('goes on where it was left when it has grown', async () => {
    write(['one', 'two']);
    const first = await reading((reader) => reader.forwards(0, everything));
    const again = await reading((reader) => reader.forwards(first.forward, everything));
    expect([again.events, again.forward]).toEqual([[], first.forward]);
    write(['one', 'two', 'three']);
    const rest = await reading((reader) => reader.forwards(first.forward, everything));
    expect(shown(rest.events)).toEqual([[3000, 'three']]);
  });

  it('is cut to a span of time, whose end does not belong to it', async () => {
    write(['a', 'b', 'c', 'd', 'e']);
    const span = { ...everything, startTime: 2000, endTime: 4000 };
    const forwards = await reading((reader) => reader.forwards(0, span));
    expect(forwards.events.map(({ message }) => message)).toEqual(['b', 'c']);
    const backwards = await reading((reader) => reader.backwards(undefined, span));
    expect(backwards.events.map(({ message }) => message)).toEqual(['b', 'c']);
  });

  it('gives at most a megabyte in a page', async () => {
    const line = 'x'.repeat(1000);
    write(Array.from({ length: 3000 }, () => line));
    const page = await reading((reader) => reader.forwards(0, everything));
    expect(page.events).toHaveLength(Math.floor(maxPageBytes / 1026));
    const tail = await reading((reader) => reader.backwards(undefined, everything));
    expect(tail.events).toHaveLength(Math.floor(maxPageBytes / 1026));
    expect(tail.events.at(-1)?.timestamp).toBe(3_000_000);
  });

  it('shows a last line without its line feed once its writer is silent', async () => {
    writeFileSync(path, 'whole\npart');
    const fresh = await reading((reader) => reader.forwards(0, everything));
    expect(fresh.events.map(({ message }) => message)).toEqual(['whole']);
    const longAgo = new Date('2024-05-01T00:00:00Z');
    utimesSync(path, longAgo, longAgo);
    const later = await reading((reader) => reader.forwards(0, everything));
    expect(later.events.map(({ message }) => message)).toEqual(['whole', 'part']);
    expect(later.events[0]?.timestamp).toBe(longAgo.getTime());
  });

  it('that does not exist yet has no reader', async () => {
    expect(await LogReader.open(path)).toBeUndefined();
  });
});

describe('times', () => {
  it('are found in an index much larger than what is read at once', async () => {
    const records = 20_000;
    let index = '';
    for (let number = 1; number <= records; number += 1) index += `${number * 10} ${number * 3}\n`;
    writeFileSync(`${path}.index`, index);
    for (const number of [1, 2, 777, 10_000, 19_999, 20_000]) {
      const times = await openTimes(path, -1);
      expect(await times.timeAt(number * 3 - 1)).toBe(number * 10);
      expect(await times.offsetFrom(number * 10)).toBe((number - 1) * 3);
      await times.close();
    }
    const times = await openTimes(path, -1);
    expect(await times.timeAt(records * 3)).toBe(-1);
    expect(await times.span()).toEqual({ first: 10, last: records * 10 });
    await times.close();
  });
});
