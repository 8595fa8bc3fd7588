import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import * as logs from '@aws-sdk/client-cloudwatch-logs';
import * as iam from '@aws-sdk/client-iam';
import * as s3 from '@aws-sdk/client-s3';
import * as sagemaker from '@aws-sdk/client-sagemaker';
import * as runtime from '@aws-sdk/client-sagemaker-runtime';
import * as sts from '@aws-sdk/client-sts';
import { NUMBERS_IN_BOTOCORE } from './exceptions.ts';

export interface Called {
  /** Undefined when the call failed. */
  readonly output?: Record<string, unknown>;
  readonly error?: string;
}

/** One official client, as the round trip drives it. */
export interface Driver {
  readonly name: string;
  call(service: string, operation: string, input: Record<string, unknown>, endpoint: string): Promise<Called>;
  close(): Promise<void>;
}

type AnyClass = new (argument: object) => {
  send?(command: object): Promise<Record<string, unknown>>;
  destroy?(): void;
};
const SDK: Readonly<Record<string, { readonly package: object; readonly client: string }>> = {
  sagemaker: { package: sagemaker, client: 'SageMakerClient' },
  'sagemaker-runtime': { package: runtime, client: 'SageMakerRuntimeClient' },
  s3: { package: s3, client: 'S3Client' },
  sts: { package: sts, client: 'STSClient' },
  iam: { package: iam, client: 'IAMClient' },
  logs: { package: logs, client: 'CloudWatchLogsClient' },
};

/** The JavaScript SDK in this process. */
export function javascriptDriver(): Driver {
  const clients = new Map<string, InstanceType<AnyClass>>();
  const clientOf = (service: string, endpoint: string): InstanceType<AnyClass> => {
    const known = clients.get(service);
    if (known !== undefined) return known;
    const entry = SDK[service] as (typeof SDK)[string];
    const Client = (entry.package as Record<string, AnyClass>)[entry.client] as AnyClass;
    const client = new Client({
      region: 'eu-west-1',
      endpoint,
      credentials: { accessKeyId: '123456789012', secretAccessKey: 'secret' },
      maxAttempts: 1,
      forcePathStyle: true,
      disableHostPrefix: true,
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
    clients.set(service, client);
    return client;
  };
  return {
    name: 'the JavaScript SDK',
    async call(service, operation, input, endpoint) {
      const Command = (SDK[service]?.package as Record<string, AnyClass> | undefined)?.[`${operation}Command`];
      if (Command === undefined) return { error: `the client has no ${operation}` };
      try {
        const output = await clientOf(service, endpoint).send?.(new Command(input));
        return { output: await withBytes(output ?? {}) };
      } catch (error) {
        return { error: String(error) };
      }
    },
    async close() {
      for (const client of clients.values()) client.destroy?.();
    },
  };
}

async function withBytes({
  $metadata: _metadata,
  ...output
}: Record<string, unknown>): Promise<Record<string, unknown>> {
  const body = output['Body'];
  if (body instanceof Readable) {
    output['Body'] = new Uint8Array(Buffer.concat(await body.toArray()));
  }
  return output;
}

/** botocore in one Python process, spoken to in JSON lines. */
export function botocoreDriver(python: string): Driver {
  const script = fileURLToPath(new URL('botocore_driver.py', import.meta.url));
  const env = { PATH: process.env['PATH'], AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' };
  const child = spawn(python, [script], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    name: 'botocore',
    async call(service, operation, input, endpoint) {
      child.stdin.write(`${JSON.stringify({ service, operation, input: tag(input), endpoint })}\n`);
      const { value, done } = await lines.next();
      if (done === true) return { error: 'the Python process ended' };
      const { output, error } = JSON.parse(value) as { output?: unknown; error?: string };
      return output === undefined
        ? { error: error ?? 'no output' }
        : { output: untag(output) as Record<string, unknown> };
    },
    async close() {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

function tag(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tag);
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') };
  if (value instanceof Date) return { $time: value.getTime() };
  if (typeof value === 'number' && !Number.isFinite(value)) return { $float: String(value) };
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, NUMBERS_IN_BOTOCORE.has(key) ? Number(inner) : tag(inner)]),
  );
}

function untag(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(untag);
  if (typeof value !== 'object' || value === null) return value;
  const { $bytes, $time, $float } = value as Record<string, unknown>;
  if ($bytes !== undefined) return new Uint8Array(Buffer.from($bytes as string, 'base64'));
  if ($time !== undefined) return new Date(Number($time));
  if ($float !== undefined) return Number($float);
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, NUMBERS_IN_BOTOCORE.has(key) ? String(inner) : untag(inner)]),
  );
}
