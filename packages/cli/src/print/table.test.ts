import { styleText } from 'node:util';
import { describe, expect, it } from 'vitest';
import { table } from './table.ts';

const green = (text: string) => styleText('green', text, { validateStream: false });

describe('table', () => {
  it('aligns columns by what is seen, not by colour codes, and leaves no space at the end of a line', () => {
    const text = table(
      [{ heading: 'model' }, { heading: 'n', align: 'right' }, { heading: 'gate' }],
      [
        ['churn', '5', green('passed')],
        ['a-longer-name', '1234', 'failed'],
      ],
    );
    expect(text).toBe(
      `MODEL             N  GATE\nchurn             5  ${green('passed')}\na-longer-name  1234  failed\n`,
    );
  });

  it('prints headings alone when there is no row', () => {
    expect(table([{ heading: 'model' }], [])).toBe('MODEL\n');
  });
});
