import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { createDelivery, makeClients, type AwsClients, type Delivery, type DeliveryEvent } from '@slipway/delivery';
import { loadProject } from '@slipway/delivery/project';
import type { TestServer } from '@slipway/server/testing';

// A project of two models on one multi-model endpoint, with data that is drawn by a fixed rule, and the hands that a
// person would have on it.

const DELIVERY = `project: shop
registry: sandbox
environments:
  sandbox: { account: "000000000000", region: us-east-1, requires: approved }
endpoints:
  shop: { mode: multi-model, image: "xgboost:1.7-1", instance: ml.m5.large }
`;

const CHURN = `model: churn
task: binary
data: { files: data.csv, target: churned, id: id, split: { by: random, test: 0.3, validation: 0.15, seed: 42 } }
train:
  image: xgboost:1.7-1
  entry: train.py
  instance: ml.m5.large
  hyperparameters: { num_round: 20, max_depth: 2 }
gate: { primary: { metric: roc_auc, maxRegression: 10% }, floor: { roc_auc: ">= 0.6" }, minRows: 50 }
serve: { endpoint: shop }
`;

const PRICE = `model: price
task: regression
data: { files: data.csv, target: price, id: id, split: { by: random, test: 0.3, validation: 0.15, seed: 42 } }
train:
  image: xgboost:1.7-1
  instance: ml.m5.large
  hyperparameters: { objective: "reg:squarederror", num_round: 20, max_depth: 3 }
gate: { primary: { metric: rmse, maxRegression: 10% }, minRows: 50 }
serve: { endpoint: shop }
`;

const TRAIN = `import argparse, os
import numpy as np
import xgboost

parser = argparse.ArgumentParser()
parser.add_argument("--num_round", type=int)
parser.add_argument("--max_depth", type=int)
options = parser.parse_args()
rows = np.loadtxt(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "train.csv"), delimiter=",")
matrix = xgboost.DMatrix(rows[:, 1:], label=rows[:, 0])
settings = {"objective": "binary:logistic", "max_depth": options.max_depth, "seed": 1}
model = xgboost.train(settings, matrix, num_boost_round=options.num_round)
model.save_model(os.path.join(os.environ["SM_MODEL_DIR"], "xgboost-model"))
`;

/** Numbers that look drawn and are the same each time (a linear congruence, as in Numerical Recipes). */
function* drawn(): Generator<number> {
  let state = 12345;
  for (;;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

function table(target: string, count: number, value: (a: number, b: number, noise: number) => number): string {
  const numbers = drawn();
  const next = (): number => numbers.next().value ?? 0;
  const rows = Array.from({ length: count }, (_, index) => {
    const [a, b, noise] = [next(), next(), next()];
    return `${index + 1},${a},${b},${value(a, b, noise)}`;
  });
  return `id,a,b,${target}\n${rows.join('\n')}\n`;
}

export class SmallProject {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<SmallProject> {
    const project = new SmallProject(await mkdtemp(join(tmpdir(), 'slipway-shop-')));
    await project.write('delivery.yaml', DELIVERY);
    await project.write('models/churn/model.yaml', CHURN);
    await project.write('models/churn/train.py', TRAIN);
    const churned = (a: number, b: number, noise: number): number => (a + b / 2 + noise / 2 > 1 ? 1 : 0);
    await project.write('models/churn/data.csv', table('churned', 400, churned));
    await project.write('models/price/model.yaml', PRICE);
    await project.write(
      'models/price/data.csv',
      table('price', 400, (a, b, noise) => 10 * a - 4 * b + noise),
    );
    return project;
  }

  async write(path: string, text: string): Promise<void> {
    const file = join(this.folder, path);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, text);
  }

  async edit(path: string, from: string, to: string): Promise<void> {
    const text = await readFile(join(this.folder, path), 'utf8');
    if (!text.includes(from)) throw new Error(`${path} does not hold ${from}`);
    await this.write(path, text.replace(from, to));
  }

  /** A second clone: the same files elsewhere, written at another time. */
  async clone(): Promise<SmallProject> {
    const copy = new SmallProject(await mkdtemp(join(tmpdir(), 'slipway-shop-clone-')));
    await cp(this.folder, copy.folder, { recursive: true });
    return copy;
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}

export interface Hand extends Delivery {
  readonly events: DeliveryEvent[];
}

export function clientsOf(server: TestServer): AwsClients {
  const credentials = { accessKeyId: '000000000000', secretAccessKey: 'none' };
  return makeClients({ endpointUrl: server.url, region: 'us-east-1', credentials });
}

/** The commands, as `actor` runs them on the project's files as they are now. */
export async function handOf(
  server: TestServer,
  project: SmallProject,
  actor = 'ana',
  more: { readonly signal?: AbortSignal; readonly onEvent?: (event: DeliveryEvent) => void } = {},
): Promise<Hand> {
  const events: DeliveryEvent[] = [];
  const delivery = createDelivery({
    project: await loadProject(project.folder),
    connect: () => clientsOf(server),
    actor,
    onEvent: (event) => {
      events.push(event);
      more.onEvent?.(event);
    },
    ...(more.signal === undefined ? {} : { signal: more.signal }),
  });
  const bound = Object.fromEntries(
    (['train', 'approve', 'reject', 'apply', 'rollback', 'status', 'invoke', 'target', 'close'] as const).map(
      (name) => [name, (delivery[name] as (request: unknown) => unknown).bind(delivery)],
    ),
  ) as unknown as Delivery;
  return { ...bound, events };
}

interface LoggedRequest {
  readonly requestId: string;
  readonly service: string;
  readonly operation: string;
}

/** The operations the server was asked for while `work` ran, in their order. */
export async function requestsDuring(server: TestServer, work: () => Promise<unknown>): Promise<string[]> {
  const from = await logged(server);
  await work();
  const to = await logged(server);
  return to.slice(from.length).map((request) => `${request.service}:${request.operation}`);
}

// The log is written behind the requests: it is complete up to a request of ours once that one stands in it.
async function logged(server: TestServer): Promise<LoggedRequest[]> {
  const aws = clientsOf(server);
  const { $metadata } = await aws.sts.send(new GetCallerIdentityCommand({}));
  aws.destroy();
  for (;;) {
    const text = await readFile(join(server.dataFolder, 'requests.jsonl'), 'utf8').catch(() => '');
    const requests = text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as LoggedRequest);
    const at = requests.findIndex((request) => request.requestId === $metadata.requestId);
    if (at >= 0) return requests.slice(0, at + 1);
    await pause(10);
  }
}

export const changing = (operation: string): boolean => !/:(Describe|List|Get|Head|Invoke)/.test(operation);

/** Every key of a bucket with its ETag. */
export async function inventory(server: TestServer, bucket: string): Promise<string[]> {
  const aws = clientsOf(server);
  const page = await aws.s3.send(new ListObjectsV2Command({ Bucket: bucket, MaxKeys: 1000 }));
  aws.destroy();
  return (page.Contents ?? []).map((entry) => `${entry.Key} ${entry.ETag}`);
}
