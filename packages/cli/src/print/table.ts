import { stripVTControlCharacters } from 'node:util';

/** A column's heading; numbers read better from the right. */
export interface Column {
  readonly heading: string;
  readonly align?: 'left' | 'right';
}

/**
 * Lines of a table with two spaces between columns, headings in capitals. Colour codes in cells do not count as width.
 *
 * @param rows cells by column; a missing cell is empty
 */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const cells = [columns.map((column) => column.heading.toUpperCase()), ...rows];
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => width(row[index] ?? ''))));
  return cells
    .map((row) =>
      columns
        .map((column, index) => pad(row[index] ?? '', widths[index] ?? 0, column.align ?? 'left'))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

function width(text: string): number {
  return Array.from(stripVTControlCharacters(text)).length;
}

function pad(text: string, to: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, to - width(text)));
  return align === 'left' ? text + space : space + text;
}
