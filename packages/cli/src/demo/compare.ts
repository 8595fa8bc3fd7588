import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { readObject, readObjectText, type AwsClients, type Delivery, type TrainResult } from '@slipway/delivery';
import { PREDICT_PLAINLY, runPython } from './python.ts';
import { heldOutRows, type HeldOutRow } from './rows.ts';

const ROWS = 3;

export interface Comparison {
  readonly rows: readonly HeldOutRow[];
  /** What the endpoint answered, one for each row. */
  readonly served: readonly number[];
  /** What the downloaded artifact says in plain Python. */
  readonly plain: readonly number[];
  /** The two are the same 32-bit numbers. */
  readonly equal: boolean;
}

/** One model's way through the demo. */
export interface DemoModel {
  readonly training: TrainResult;
  readonly comparison: Comparison;
}

/** Sends held-out rows to the endpoint, and to the downloaded artifact loaded without anything of ours. */
export async function comparePredictions(
  parts: { delivery: Delivery; aws: AwsClients; python: string; folder: string; target: string },
  result: TrainResult,
): Promise<Comparison> {
  const predictions = await readObjectText(parts.aws, result.evidence.predictions);
  const data = await readFile(join(parts.folder, 'models', result.model, 'data.csv'), 'utf8');
  const rows = heldOutRows(data, predictions, parts.target, ROWS);
  const body = `${rows.map((row) => row.features.join(',')).join('\n')}\n`;
  const answer = await parts.delivery.invoke({
    model: result.model,
    body: Buffer.from(body),
    contentType: 'text/csv',
    accept: 'text/csv',
  });
  const served = numbers(Buffer.from(answer.body).toString('utf8'));
  const plain = numbers(await predictPlainly(parts.aws, parts.python, result.artifact, body));
  return { rows, served, plain, equal: sameFloats(served, plain) && served.length === rows.length };
}

async function predictPlainly(aws: AwsClients, python: string, artifact: string, rows: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-artifact-'));
  try {
    const file = join(folder, 'model.tar.gz');
    await pipeline(await readObject(aws, artifact), createWriteStream(file));
    return await runPython(python, [PREDICT_PLAINLY, file], rows);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Numbers one to a line, or joined by commas as the multi-model server of the XGBoost image joins them. */
function numbers(text: string): readonly number[] {
  return text
    .trim()
    .split(/[\s,]+/)
    .map(Number);
}

/** A model predicts 32-bit floats; two texts of the same float may differ in their last digits. */
function sameFloats(one: readonly number[], other: readonly number[]): boolean {
  return (
    one.length === other.length &&
    one.every((value, index) => Math.fround(value) === Math.fround(other[index] ?? Number.NaN))
  );
}
