/** Held-out rows with their truth, taken from the project's own CSV by the ids that the evaluation wrote down. */
export interface HeldOutRow {
  readonly id: string;
  /** The features as text, in the file's order. */
  readonly features: readonly string[];
  readonly truth: number;
  /** What the evaluation's processing job said about this row. */
  readonly evaluated: number;
}

/**
 * @param data the model's CSV, with a heading
 * @param predictions the evaluation's CSV: columns `id`, `y`, `challenger`
 * @param count how many rows to take, spread over the test split
 */
export function heldOutRows(data: string, predictions: string, target: string, count: number): readonly HeldOutRow[] {
  const source = parse(data);
  const evaluated = parse(predictions);
  const byId = new Map(source.rows.map((row) => [row[source.column('id')], row]));
  const feature = source.heading
    .map((name, index) => ({ name, index }))
    .filter(({ name }) => name !== 'id' && name !== target);
  const step = Math.max(1, Math.floor(evaluated.rows.length / count));
  return evaluated.rows
    .filter((_, index) => index % step === 0)
    .slice(0, count)
    .map((row) => {
      const id = row[evaluated.column('id')] ?? '';
      const from = byId.get(id);
      if (from === undefined) throw new Error(`The evaluation names row ${id}, which data.csv does not hold.`);
      return {
        id,
        features: feature.map(({ index }) => from[index] ?? ''),
        truth: Number(from[source.column(target)]),
        evaluated: Number(row[evaluated.column('challenger')]),
      };
    });
}

interface Sheet {
  readonly heading: readonly string[];
  readonly rows: readonly (readonly string[])[];
  column(name: string): number;
}

/** Plain CSV without quotes, as the demo's own files are. */
function parse(text: string): Sheet {
  const [first = '', ...rest] = text.trim().split('\n');
  const heading = first.trim().split(',');
  return {
    heading,
    rows: rest.map((line) => line.trim().split(',')),
    column(name) {
      const index = heading.indexOf(name);
      if (index < 0) throw new Error(`There is no column ${name} in ${heading.join(', ')}.`);
      return index;
    },
  };
}
