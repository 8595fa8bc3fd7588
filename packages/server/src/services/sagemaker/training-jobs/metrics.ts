import { Worker } from 'node:worker_threads';
import type { RuntimeImage } from '../../../engine/engine.ts';
import { after } from '@slipway/kit/stopwatch';

/** A metric's name and the expression whose first group is its number, as CreateTrainingJob takes them. */
export interface MetricDefinition {
  readonly Name: string;
  readonly Regex: string;
}

export interface FinalMetric {
  readonly name: string;
  readonly value: number;
}

/** More of a log is not read for metrics; the engine caps logs in any case. */
const SCAN_BYTES_MAX = 256 * 1024 * 1024;
/** A user's expression may take exponential time on a line, so the scan ends here, with what it has found. */
const SCAN_MS_MAX = 30_000;

/** Source: aws/sagemaker-xgboost-container, constants/xgb_constants.py. */
const XGBOOST_METRICS = (
  'accuracy auc aucpr balanced_accuracy f1 f1_binary f1_macro map ndcg precision precision_macro precision_micro r2 ' +
  'recall recall_macro recall_micro aft-nloglik cox-nloglik error gamma-deviance gamma-nloglik ' +
  'interval-regression-accuracy logloss mae mape merror mlogloss mphe mse poisson-nloglik rmse rmsle tweedie-nloglik'
).split(' ');

/** What Describe and the log scan use for a built-in algorithm, which may not name metrics of its own. */
export function builtInMetrics(image: RuntimeImage): readonly MetricDefinition[] {
  if (image.framework !== 'xgboost') return [];
  return ['train', 'validation'].flatMap((set) =>
    XGBOOST_METRICS.map((metric) => ({
      Name: `${set}:${metric}`,
      Regex: `.*\\[[0-9]+\\].*#011${set}-${metric}:(\\S+)`,
    })),
  );
}

/** Users write Python's expressions; named groups and inline flags at the start are what differs in practice. */
export function javascriptPattern(regex: string): RegExp {
  const flags = /^\(\?(?<flags>[ims]+)\)/.exec(regex);
  const body = flags === null ? regex : regex.slice(flags[0].length);
  return new RegExp(body.replaceAll('(?P<', '(?<'), [...new Set(flags?.groups?.['flags'] ?? '')].join(''));
}

/**
 * Runs in a thread of its own, so that neither a long log nor an expression that backtracks for ever holds up requests.
 * It posts each definition's latest value as it goes; whatever was posted counts when the thread has to be ended. A tab
 * is read as `#011`, as AWS's log pipeline writes it, and of the captured text the number that it begins with.
 */
const SCAN = `
  const { createReadStream } = require('node:fs');
  const { createInterface } = require('node:readline');
  const { parentPort, workerData } = require('node:worker_threads');
  const patterns = workerData.patterns.map(({ source, flags }) => new RegExp(source, flags));
  const found = new Map();
  const number = /^[+-]?(?:[0-9]+[.]?[0-9]*|[.][0-9]+)(?:[eE][+-]?[0-9]+)?/;
  (async () => {
    const input = createReadStream(workerData.path, { end: workerData.bytesMax - 1 });
    let lines = 0;
    for await (const raw of createInterface({ input, crlfDelay: Infinity })) {
      const line = raw.slice(0, 10000).replaceAll('\\t', '#011');
      for (let index = 0; index < patterns.length; index += 1) {
        const value = number.exec(patterns[index].exec(line)?.[1] ?? '')?.[0];
        if (value !== undefined && Number.isFinite(Number(value))) found.set(index, Number(value));
      }
      if ((lines += 1) % 10000 === 0) parentPort.postMessage([...found]);
    }
    parentPort.postMessage([...found]);
  })();
`;

/**
 * The last value of each metric in a job's log, in the order of the definitions.
 *
 * @throws when the log cannot be read
 */
export async function lastMetrics(
  path: string,
  definitions: readonly MetricDefinition[],
  signal: AbortSignal,
): Promise<readonly FinalMetric[]> {
  const patterns = definitions.map((definition) => {
    const { source, flags } = javascriptPattern(definition.Regex);
    return { source, flags };
  });
  const values = await scan({ path, patterns, bytesMax: SCAN_BYTES_MAX }, signal);
  return definitions.flatMap(({ Name }, index) => {
    const value = values.get(index);
    return value === undefined ? [] : [{ name: Name, value }];
  });
}

async function scan(workerData: object, signal: AbortSignal): Promise<ReadonlyMap<number, number>> {
  signal.throwIfAborted();
  const worker = new Worker(SCAN, { eval: true, workerData, resourceLimits: { maxOldGenerationSizeMb: 128 } });
  return new Promise((resolve, reject) => {
    let found: ReadonlyMap<number, number> = new Map();
    const end = (): void => void worker.terminate();
    const cancel = after(SCAN_MS_MAX, end);
    signal.addEventListener('abort', end, { once: true });
    worker.on('message', (entries: [number, number][]) => (found = new Map(entries)));
    worker.on('error', reject);
    worker.on('exit', () => {
      cancel();
      signal.removeEventListener('abort', end);
      if (signal.aborted) reject(signal.reason as Error);
      else resolve(found);
    });
  });
}
