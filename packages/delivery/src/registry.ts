import {
  CreateModelPackageCommand,
  CreateModelPackageGroupCommand,
  DescribeModelPackageCommand,
  DescribeModelPackageGroupCommand,
  ListModelPackagesCommand,
  UpdateModelPackageCommand,
} from '@aws-sdk/client-sagemaker';
import type { CreateModelPackageCommandInput, DescribeModelPackageCommandOutput } from '@aws-sdk/client-sagemaker';
import { InvalidRequest } from './errors.ts';
import type { GateOutcome } from './gates/gate.ts';
import { packageArn, versionOf } from './names.ts';
import type { Site } from './site.ts';
import { isNotFound } from './aws-errors.ts';

/** Versions of one group that are looked at; past this many, older ones are history. */
const VERSIONS_MAX = 1_000;

export type PackageStatus = 'Approved' | 'Rejected' | 'PendingManualApproval';

export interface ListedVersion {
  readonly arn: string;
  readonly version: number;
  readonly status: PackageStatus;
  readonly createdAt: string | undefined;
}

/** What delivery reads of a model package. */
export interface Version extends ListedVersion {
  readonly image: string;
  readonly artifact: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly gate: GateOutcome | 'unknown';
  readonly runId: string | undefined;
  /** Who registered it: the actor in its metadata, else whom the service names. */
  readonly createdBy: string;
  /** Whom the service names as the last one who changed it. */
  readonly modifiedBy: string;
  /** Changes whenever the package is changed. */
  readonly modifiedAt: string;
  readonly description: string;
}

/** Versions of a group, newest first. A group that does not exist has none. */
export async function listVersions(site: Site, group: string, limit = VERSIONS_MAX): Promise<ListedVersion[]> {
  const found: ListedVersion[] = [];
  let token: string | undefined;
  do {
    let page;
    try {
      page = await site.aws.sagemaker.send(
        new ListModelPackagesCommand({
          ModelPackageGroupName: group,
          SortBy: 'CreationTime',
          SortOrder: 'Descending',
          MaxResults: Math.min(100, limit),
          NextToken: token,
        }),
      );
    } catch (error) {
      if (isNotFound(error)) return [];
      throw error;
    }
    for (const entry of page.ModelPackageSummaryList ?? []) {
      if (entry.ModelPackageArn === undefined) continue;
      found.push({
        arn: entry.ModelPackageArn,
        version: entry.ModelPackageVersion ?? versionOf(entry.ModelPackageArn) ?? 0,
        status: entry.ModelApprovalStatus ?? 'PendingManualApproval',
        createdAt: entry.CreationTime?.toISOString(),
      });
    }
    token = page.NextToken;
  } while (token !== undefined && found.length < limit);
  // Two versions may be made within a second: their numbers decide, not the order of the answer.
  return found.toSorted((a, b) => b.version - a.version).slice(0, limit);
}

export async function describeVersion(site: Site, arn: string): Promise<Version | undefined> {
  try {
    const found = await site.aws.sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: arn }));
    return toVersion(arn, found);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function toVersion(arn: string, found: DescribeModelPackageCommandOutput): Version {
  const container = found.InferenceSpecification?.Containers?.[0];
  const metadata = found.CustomerMetadataProperties ?? {};
  return {
    arn: found.ModelPackageArn ?? arn,
    version: found.ModelPackageVersion ?? versionOf(arn) ?? 0,
    status: found.ModelApprovalStatus ?? 'PendingManualApproval',
    createdAt: found.CreationTime?.toISOString(),
    image: container?.Image ?? '',
    artifact: container?.ModelDataUrl ?? '',
    environment: container?.Environment ?? {},
    metadata,
    gate: (metadata['delivery:gate'] as GateOutcome | undefined) ?? 'unknown',
    runId: metadata['delivery:run'],
    createdBy: metadata['delivery:actor'] ?? nameOf(found.CreatedBy),
    modifiedBy: nameOf(found.LastModifiedBy),
    modifiedAt: (found.LastModifiedTime ?? found.CreationTime)?.toISOString() ?? '',
    description: found.ApprovalDescription ?? '',
  };
}

function nameOf(context: DescribeModelPackageCommandOutput['CreatedBy']): string {
  return context?.UserProfileName ?? context?.IamIdentity?.Arn ?? 'unknown';
}

/** Finds a version by number or ARN. @throws InvalidRequest that lists what there is */
export async function findVersion(site: Site, model: string, group: string, wanted: string): Promise<Version> {
  const number = /^v?(\d{1,9})$/.exec(wanted)?.[1];
  const isArn = wanted.startsWith('arn:');
  if (isArn && !wanted.includes(`:model-package/${group}/`)) {
    throw new InvalidRequest(`${wanted} is no version of ${model} (its group is ${group}).`);
  }
  if (number !== undefined || isArn) {
    const arn = isArn ? wanted : packageArn(site.aws.region, site.env.account, group, Number(number));
    const found = await describeVersion(site, arn);
    if (found !== undefined) return found;
  }
  const versions = await listVersions(site, group, 20);
  const list = versions.map((entry) => entry.version).join(', ');
  throw new InvalidRequest(
    `${model} has no version ${wanted}.`,
    versions.length === 0 ? `Nothing is registered yet: slipway train ${model}` : `Its versions are ${list}.`,
  );
}

export async function ensureGroup(site: Site, group: string, tags: { Key: string; Value: string }[]): Promise<void> {
  try {
    await site.aws.sagemaker.send(new DescribeModelPackageGroupCommand({ ModelPackageGroupName: group }));
    return;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  try {
    await site.aws.sagemaker.send(
      new CreateModelPackageGroupCommand({
        ModelPackageGroupName: group,
        ModelPackageGroupDescription: 'Versions of one model, registered by Slipway.',
        Tags: tags,
      }),
    );
  } catch (error) {
    // Someone made it in this moment: then it is there.
    if (!(error instanceof Error) || !/already exist/i.test(error.message)) throw error;
  }
}

export async function createVersion(site: Site, request: CreateModelPackageCommandInput): Promise<string> {
  const made = await site.aws.sagemaker.send(new CreateModelPackageCommand(request));
  return made.ModelPackageArn ?? '';
}

/** Projects a decision onto the package. */
export async function setStatus(site: Site, arn: string, status: PackageStatus, description: string): Promise<void> {
  await site.aws.sagemaker.send(
    new UpdateModelPackageCommand({
      ModelPackageArn: arn,
      ModelApprovalStatus: status,
      ApprovalDescription: description.slice(0, 1024),
    }),
  );
}
