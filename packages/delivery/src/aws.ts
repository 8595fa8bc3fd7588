import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { S3Client } from '@aws-sdk/client-s3';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { STSClient } from '@aws-sdk/client-sts';

// The seam of the two halves: everything Slipway delivers goes through these clients, whether an embedded server or AWS
// answers. Their answers' `Date` header is the only clock the delivery half has.

/** The official clients of one account and region, and the time their answers carry. */
export interface AwsClients {
  readonly region: string;
  /** Where requests go instead of AWS; absent on AWS. */
  readonly endpointUrl?: string;
  readonly sagemaker: SageMakerClient;
  readonly runtime: SageMakerRuntimeClient;
  readonly s3: S3Client;
  readonly sts: STSClient;
  readonly logs: CloudWatchLogsClient;
  readonly time: AnswerTime;
  destroy(): void;
}

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface AwsOptions {
  readonly endpointUrl?: string;
  readonly region: string;
  /** Absent: the SDK's own chain (profiles, SSO, roles), which only an environment on AWS may use. */
  readonly credentials?: AwsCredentials | (() => Promise<AwsCredentials>);
  /** Called with the instant (ms) of each answer's `Date` header. */
  readonly onDate?: (at: number) => void;
}

/** The newest `Date` that an answer carried. One second fine, as HTTP dates are; it never goes back. */
export class AnswerTime {
  #at: number | undefined;

  note(at: number): void {
    if (Number.isFinite(at) && at > (this.#at ?? Number.NEGATIVE_INFINITY)) this.#at = at;
  }

  /** @throws when nothing has been answered yet: there is no other clock to fall back on */
  now(): number {
    if (this.#at === undefined) throw new Error('No answer has carried the time yet.');
    return this.#at;
  }

  iso(): string {
    return new Date(this.now()).toISOString();
  }
}

type Answer = { response?: unknown };
type Handler = (args: never) => Promise<Answer>;
interface Stack {
  add(middleware: (next: Handler) => Handler, options: { step: 'deserialize'; priority: 'low'; name: string }): void;
}

/** Attempts of one request, with the SDK's back-off between them: some ten seconds, in which a server starts again. */
const MAX_ATTEMPTS = 10;

export function makeClients(options: AwsOptions): AwsClients {
  const time = new AnswerTime();
  const common = {
    region: options.region,
    maxAttempts: MAX_ATTEMPTS,
    customUserAgent: 'slipway/0.1.0',
    ...(options.endpointUrl === undefined ? {} : { endpoint: options.endpointUrl }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
  };
  const sagemaker = new SageMakerClient(common);
  const runtime = new SageMakerRuntimeClient(common);
  const s3 = new S3Client({ ...common, forcePathStyle: options.endpointUrl !== undefined });
  const sts = new STSClient(common);
  const logs = new CloudWatchLogsClient(common);
  const all = [sagemaker, runtime, s3, sts, logs];
  for (const client of all) {
    recordDate(client.middlewareStack as unknown as Stack, (at) => {
      time.note(at);
      options.onDate?.(at);
    });
  }
  return {
    region: options.region,
    ...(options.endpointUrl === undefined ? {} : { endpointUrl: options.endpointUrl }),
    sagemaker,
    runtime,
    s3,
    sts,
    logs,
    time,
    destroy: () => all.forEach((client) => client.destroy()),
  };
}

// The lowest priority of this step is nearest to the wire: it sees the answer before the deserializer turns an error
// status into an exception, so errors carry the time too.
function recordDate(stack: Stack, note: (at: number) => void): void {
  stack.add(
    (next) => async (args) => {
      const answer = await next(args);
      const date = dateHeader(answer.response);
      if (date !== undefined) note(Date.parse(date));
      return answer;
    },
    { step: 'deserialize', priority: 'low', name: 'slipwayAnswerTime' },
  );
}

function dateHeader(response: unknown): string | undefined {
  if (typeof response !== 'object' || response === null || !('headers' in response)) return undefined;
  const headers = response.headers as Record<string, string | undefined>;
  return headers['date'] ?? headers['Date'];
}
