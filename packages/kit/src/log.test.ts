import { describe, expect, it } from 'vitest';
import { ManualClock } from './clock.ts';
import { createLogger } from './log.ts';

function logger(level?: string): { lines: Record<string, unknown>[]; log: ReturnType<typeof createLogger> } {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => {
    expect(line.endsWith('\n') && line.indexOf('\n') === line.length - 1).toBe(true);
    lines.push(JSON.parse(line) as Record<string, unknown>);
  };
  return { lines, log: createLogger({ write, clock: new ManualClock(0), ...(level === undefined ? {} : { level }) }) };
}

describe('the log', () => {
  it('writes one JSON object a line, with its time, level, message and fields', () => {
    const { lines, log } = logger();
    log.child({ job: 'a' }).warn('two\nlines', { n: 1 });
    expect(lines).toEqual([{ at: '1970-01-01T00:00:00.000Z', level: 'warn', message: 'two\nlines', job: 'a', n: 1 }]);
  });

  it('leaves out what is below its level', () => {
    const { lines, log } = logger('error');
    log.warn('no');
    log.error('yes');
    expect(lines.map(({ message }) => message)).toEqual(['yes']);
  });

  it('hides fields that are named like secrets, at any depth', () => {
    const { lines, log } = logger();
    log.info('x', { request: { Authorization: 'AWS4…', secretAccessKey: 's' } });
    expect(lines[0]?.['request']).toEqual({ Authorization: '[hidden]', secretAccessKey: '[hidden]' });
  });

  it('survives what JSON cannot print', () => {
    const { lines, log } = logger();
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    log.error('circle', { circle });
    log.error('odd', { big: 10n, bytes: new Uint8Array(3), long: 'x'.repeat(9_000) });
    expect(lines[0]).toMatchObject({ message: 'circle', unprintable: true });
    expect(lines[1]).toMatchObject({ big: '10' });
    expect(String(lines[1]?.['long'])).toHaveLength(8_001);
  });

  it('prints an error with its stack', () => {
    const { lines, log } = logger();
    log.error('failed', { error: new RangeError('too far') });
    expect(lines[0]?.['error']).toMatchObject({
      name: 'RangeError',
      message: 'too far',
      stack: expect.stringContaining('log.test'),
    });
  });
});
