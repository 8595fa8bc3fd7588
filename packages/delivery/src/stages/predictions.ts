import { InvalidRequest } from '../errors.ts';
import type { PredictionTable } from '../gates/gate.ts';

const ROWS_MAX = 5_000_000;

/**
 * Reads predictions.csv: a heading with id, y, challenger and, where known, champion, trivial and group.
 *
 * @throws InvalidRequest naming the line, because the file may come from a user's own evaluation script
 */
export function parsePredictions(text: string, trivial?: number): PredictionTable {
  const rows = parseCsv(text);
  const heading = rows[0] ?? [];
  const place = (name: string): number => heading.indexOf(name);
  for (const name of ['id', 'y', 'challenger']) {
    if (place(name) < 0)
      throw new InvalidRequest(`predictions.csv has no column ${name}; it has ${heading.join(', ')}.`);
  }
  const count = rows.length - 1;
  if (count < 1) throw new InvalidRequest('predictions.csv has no rows.');
  const column = (name: string): Float64Array =>
    Float64Array.from({ length: count }, (_, index) => numberAt(rows, index + 1, place(name), name));
  const texts = (name: string): string[] => rows.slice(1).map((row) => row[place(name)] ?? '');
  const championAt = place('champion');
  const hasChampion = championAt >= 0 && (rows[1]?.[championAt] ?? '') !== '';
  const known = place('trivial') >= 0 ? numberAt(rows, 1, place('trivial'), 'trivial') : trivial;
  if (known === undefined) throw new InvalidRequest('predictions.csv has no column trivial.');
  return {
    id: texts('id'),
    y: column('y'),
    challenger: column('challenger'),
    trivial: known,
    ...(place('group') < 0 ? {} : { group: texts('group') }),
    ...(hasChampion ? { champion: column('champion') } : {}),
  };
}

function numberAt(rows: readonly string[][], index: number, place: number, name: string): number {
  const cell = rows[index]?.[place] ?? '';
  const value = cell.trim() === '' ? Number.NaN : Number(cell);
  if (!Number.isFinite(value)) {
    throw new InvalidRequest(`predictions.csv, row ${index}: ${name} is ${JSON.stringify(cell)}, not a number.`);
  }
  return value;
}

/** CSV as RFC 4180 has it: quotes around what holds commas, quotes or line ends. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (quoted) {
      if (char !== '"') cell += char;
      else if (text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === ',') {
      row.push(cell);
      cell = '';
    } else if (char === '\n') {
      push(rows, row, cell);
      row = [];
      cell = '';
    } else if (char !== '\r') cell += char;
  }
  push(rows, row, cell);
  return rows;
}

function push(rows: string[][], row: string[], cell: string): void {
  if (row.length === 0 && cell === '') return;
  if (rows.length > ROWS_MAX) throw new InvalidRequest(`predictions.csv has more than ${ROWS_MAX} rows.`);
  rows.push([...row, cell]);
}
