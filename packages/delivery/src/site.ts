import { CreateBucketCommand, HeadBucketCommand, PutBucketVersioningCommand } from '@aws-sdk/client-s3';
import type { BucketLocationConstraint } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import type { DeliveryOptions } from './api.ts';
import type { AwsClients } from './aws.ts';
import { WrongTarget } from './errors.ts';
import type { OnEvent } from './events.ts';
import { statusOf } from './aws-errors.ts';
import { ProjectObjects } from './objects.ts';
import type { ResolvedEnvironment } from './project/model.ts';

/** An environment that was reached: who answers, as whom, and where its objects lie. */
export interface Site {
  readonly env: ResolvedEnvironment;
  readonly aws: AwsClients;
  /** The caller, as STS names it. */
  readonly caller: string;
  readonly objects: ProjectObjects;
  /** `local http://… (000000000000 us-east-1)` or `AWS 111111111111 eu-west-1`. */
  readonly target: string;
}

/** Opens each environment once, and never without checking whose account answers. */
export class Sites {
  readonly #project: string;
  readonly #resolve: (env: string) => ResolvedEnvironment;
  readonly #connect: DeliveryOptions['connect'];
  readonly #onEvent: OnEvent;
  readonly #open = new Map<string, Promise<Site>>();

  constructor(
    project: string,
    resolve: (env: string) => ResolvedEnvironment,
    connect: DeliveryOptions['connect'],
    onEvent: OnEvent,
  ) {
    this.#project = project;
    this.#resolve = resolve;
    this.#connect = connect;
    this.#onEvent = onEvent;
  }

  /** @throws WrongTarget when another account answers than the project file names */
  open(name: string): Promise<Site> {
    const known = this.#open.get(name);
    if (known !== undefined) return known;
    const opening = this.#reach(name);
    this.#open.set(name, opening);
    // An environment that could not be reached is asked again the next time.
    opening.catch(() => this.#open.delete(name));
    return opening;
  }

  async #reach(name: string): Promise<Site> {
    const env = this.#resolve(name);
    const aws = this.#connect(env);
    const identity = await aws.sts.send(new GetCallerIdentityCommand({}));
    const where = `${identity.Account ?? 'unknown account'} ${aws.region}`;
    if (identity.Account !== env.account) {
      throw new WrongTarget(
        `The environment ${name} is account ${env.account}, but the credentials belong to ${where}.`,
        'Use credentials of that account, or correct `account` in the project file.',
      );
    }
    const target = aws.endpointUrl === undefined ? `AWS ${where}` : `local ${aws.endpointUrl} (${where})`;
    this.#onEvent({ type: 'target', env: name, target });
    const objects = new ProjectObjects(aws.s3, env.bucket, this.#project);
    return { env, aws, caller: identity.Arn ?? '', objects, target };
  }

  async close(): Promise<void> {
    for (const opening of this.#open.values()) await opening.then((site) => site.aws.destroy()).catch(() => undefined);
    this.#open.clear();
  }
}

/** Makes the environment's bucket, with versioning, where there is none. */
export async function ensureBucket(site: Site, onEvent: OnEvent): Promise<void> {
  const { s3 } = site.aws;
  const bucket = site.env.bucket;
  try {
    await s3.send(new HeadBucketCommand({ Bucket: bucket, ExpectedBucketOwner: site.env.account }));
    return;
  } catch (error) {
    if (statusOf(error) === 403) {
      throw new WrongTarget(
        `The bucket ${bucket} belongs to another account, or this caller may not see it.`,
        'Name a bucket of your own with `bucket` in the environment.',
      );
    }
    if (statusOf(error) !== 404) throw error;
  }
  const elsewhere = site.aws.region !== 'us-east-1';
  const constraint = { LocationConstraint: site.aws.region as BucketLocationConstraint };
  try {
    await s3.send(
      new CreateBucketCommand({ Bucket: bucket, ...(elsewhere ? { CreateBucketConfiguration: constraint } : {}) }),
    );
  } catch (error) {
    // Another command, or our own repeated request, made it in this moment.
    if (!(error instanceof Error) || error.name !== 'BucketAlreadyOwnedByYou') throw error;
  }
  await s3.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  onEvent({ type: 'change', subject: `s3://${bucket}`, detail: 'bucket created, with versioning' });
}
