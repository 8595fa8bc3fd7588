import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createDelivery, makeClients, type AwsClients, type Delivery } from '@slipway/delivery';
import { loadProject } from '@slipway/delivery/project';

const TEMPLATE = fileURLToPath(new URL('../../packages/cli/templates/demo', import.meta.url));

/**
 * Makes the demo's project with a training script that reports if it ever runs twice at once, or twice at all: it locks
 * a file for its life and appends one line a start.
 */
export function makeDemoProject(folder: string, python: string, watch: { lock: string; starts: string }): void {
  cpSync(TEMPLATE, folder, { recursive: true });
  execFileSync(python, [join(TEMPLATE, 'make_data.py'), folder]);
  const script = join(folder, 'models/breast-cancer/train.py');
  const guard = `import fcntl
_lock = open(${JSON.stringify(watch.lock)}, "a")
with open(${JSON.stringify(watch.starts)}, "a") as _starts:
    try:
        fcntl.flock(_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _starts.write("start\\n")
    except OSError:
        _starts.write("TWO AT ONCE\\n")
`;
  writeFileSync(script, readFileSync(script, 'utf8').replace('import argparse\n', `import argparse\n${guard}`));
}

/** Creations that the server acknowledged, in order. */
export interface Acknowledged {
  readonly operation: string;
  readonly name: string;
}

const NAME_MEMBERS = [
  'TrainingJobName',
  'ProcessingJobName',
  'ModelName',
  'EndpointConfigName',
  'EndpointName',
  'ModelPackageGroupName',
];

/** The delivery half on the server at `url`; notes every creation that is acknowledged. */
export async function openDelivery(
  folder: string,
  url: string,
  acknowledged: Acknowledged[],
): Promise<{ delivery: Delivery; aws: AwsClients }> {
  const project = await loadProject(folder);
  const connect = (): AwsClients => {
    const clients = makeClients({
      endpointUrl: url,
      region: 'us-east-1',
      credentials: { accessKeyId: '000000000000', secretAccessKey: 'local' },
    });
    clients.sagemaker.middlewareStack.add(
      (next, context) => async (args) => {
        const answer = await next(args);
        const operation = context.commandName?.replace(/Command$/, '') ?? '';
        const input = args.input as Readonly<Record<string, unknown>>;
        const output = answer.output as object as Readonly<Record<string, unknown>>;
        const member = NAME_MEMBERS.find((name) => operation === `Create${name.replace(/Name$/, '')}`);
        const name =
          operation === 'CreateModelPackage'
            ? output['ModelPackageArn']
            : member === undefined
              ? undefined
              : input[member];
        if (typeof name === 'string') acknowledged.push({ operation, name });
        return answer;
      },
      { step: 'initialize', name: 'acknowledged' },
    );
    return clients;
  };
  return { delivery: createDelivery({ project, connect, actor: 'tester' }), aws: connect() };
}

/** What the demo does, through the delivery half: train both, approve what passed, release. */
export async function runThrough(delivery: Delivery): Promise<void> {
  for (const model of ['breast-cancer', 'diabetes']) {
    const { registered } = await delivery.train(model);
    if (registered === undefined) throw new Error(`${model} was not registered`);
    await delivery.approve({ model, version: String(registered.version), reason: 'test' });
  }
  await delivery.apply({ env: 'sandbox' });
}
