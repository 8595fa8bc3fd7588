import { createHash } from 'node:crypto';
import type { Owner } from '@slipway/kit/machine';
import type { Database } from '@slipway/kit/sqlite';
import { ValidationException } from '../../../wire/errors.ts';
import type { Context } from '../../../wire/service.ts';
import type { ServerParts } from '../../parts.ts';
import { arnOf, nameOf } from '../arns.ts';
import { compare, timeFilters, type Condition, paging } from '../listing.ts';
import { PackageGroupNotFound } from '../model-package-groups/errors.ts';
import type { PackageGroupStore } from '../model-package-groups/store.ts';
import type { PackageLookup } from '../models/operations.ts';
import { NotSupportedYet } from '../not-supported.ts';
import type { Input, Operations, Output } from '../operation-types.ts';
import type { TagStore } from '../tags/store.ts';
import { BadApproval, PackageExists, PackageNotFound, TokenReused } from './errors.ts';
import { changedMetadata, checkMetadata } from './metadata.ts';
import type { PackageKey, PackageRow, PackageStore } from './store.ts';
import { userOf } from './user.ts';

type Request = Omit<Input<'CreateModelPackage'>, 'Tags' | 'ClientToken'>;
type Approval = NonNullable<Request['ModelApprovalStatus']>;
type Described = Output<'DescribeModelPackage'>;
/** The request as updates have changed it. */
type PackageContent = Request & { readonly ApprovalDescription?: string | undefined };

const DETAILS = { ValidationStatuses: [], ImageScanStatuses: [] };

export function modelPackages(parts: ServerParts, store: PackageStore, groups: PackageGroupStore, tags: TagStore) {
  const { db } = parts;
  const existing = (owner: Owner, nameOrArn: string): PackageRow => {
    const row = store.find(owner, keyOf(nameOrArn));
    if (row === undefined) throw new PackageNotFound(arnOf(owner, 'model-package', nameOf(nameOrArn)));
    return row;
  };

  const operations = {
    CreateModelPackage: (input, context) => ({
      ModelPackageArn: create(parts.db, store, groups, tags, input, context),
    }),

    DescribeModelPackage({ ModelPackageName, IncludedData: _all }, { owner }) {
      return described(owner, existing(owner, ModelPackageName));
    },

    ListModelPackages(input, { owner }) {
      const group = input.ModelPackageGroupName === undefined ? undefined : nameOf(input.ModelPackageGroupName);
      if (group !== undefined && groups.find(owner, group) === undefined) throw new PackageGroupNotFound(group);
      const page = store.list.page({
        // The model documents Ascending; AWS's own samples take the first of a group as its newest version.
        ...paging(owner, input, group !== undefined),
        conditions: [
          ofGroup(group, input.ModelPackageType),
          named(input.NameContains),
          compare('approval', '=', 'approval', input.ModelApprovalStatus),
          ...timeFilters(input),
        ],
      });
      return { ModelPackageSummaryList: page.rows.map((row) => summary(owner, row)), NextToken: page.nextToken };
    },

    UpdateModelPackage(input, { owner, now }) {
      const row = existing(owner, input.ModelPackageArn);
      if (input.ModelCard !== undefined) throw new NotSupportedYet('changing a ModelCard');
      if (input.ModelPackageRegistrationType !== undefined) throw new NotSupportedYet('ModelPackageRegistrationType');
      const approval = approvalAfter(row.approval as Approval | null, input.ModelApprovalStatus);
      const content = changed(JSON.parse(row.content) as PackageContent, input);
      db.transaction(() => store.update(owner, keyOfRow(row), approval, content, now));
      return { ModelPackageArn: arnFor(owner, keyOfRow(row)) };
    },

    DeleteModelPackage({ ModelPackageName }, { owner }) {
      const key = keyOfRow(existing(owner, ModelPackageName));
      db.transaction(() => {
        store.remove(owner, key);
        tags.clear(owner, arnFor(owner, key));
      });
      return {};
    },

    BatchDescribeModelPackage({ ModelPackageArnList }, { owner }) {
      const summaries: NonNullable<Output<'BatchDescribeModelPackage'>['ModelPackageSummaries']> = {};
      const errors: NonNullable<Output<'BatchDescribeModelPackage'>['BatchDescribeModelPackageErrorMap']> = {};
      for (const arn of ModelPackageArnList) {
        const row = store.find(owner, keyOf(arn));
        if (row === undefined) {
          const ErrorResponse = new PackageNotFound(arn).message;
          errors[arn] = { ErrorCode: 'ValidationException', ErrorResponse };
        } else summaries[arn] = batchSummary(owner, row);
      }
      return { ModelPackageSummaries: summaries, BatchDescribeModelPackageErrorMap: errors };
    },
  } satisfies Operations;

  const exists = (owner: Owner, name: string): boolean => store.find(owner, keyOf(name)) !== undefined;
  return { operations, exists, lookup: packageLookup(existing) };
}

function create(
  db: Database,
  store: PackageStore,
  groups: PackageGroupStore,
  tags: TagStore,
  input: Input<'CreateModelPackage'>,
  { owner, now }: Context,
): string {
  const { Tags, ClientToken, ...request } = input;
  const digest = createHash('sha256').update(JSON.stringify(request)).digest('hex');
  const repeated = ClientToken === undefined ? undefined : store.byToken(owner, ClientToken);
  if (repeated !== undefined) {
    if (repeated.request_digest !== digest) throw new TokenReused(ClientToken ?? '');
    return arnFor(owner, keyOfRow(repeated));
  }
  checkMetadata(request.CustomerMetadataProperties);
  const group = groupOf(groups, owner, input);
  if (group !== undefined && Tags !== undefined && Tags.length > 0) {
    throw new ValidationException('Versioned model packages cannot carry tags; tag their group instead.');
  }
  tags.check(Tags);
  return db.transaction(() => {
    const version = group === undefined ? 0 : groups.nextVersion(owner, group);
    const name = group === undefined ? (input.ModelPackageName ?? '') : '';
    const key: PackageKey = { group: group ?? '', version, name };
    const arn = arnFor(owner, key);
    if (store.find(owner, key) !== undefined) throw new PackageExists(arn);
    // Versioned packages wait for an approval unless they are created with one.
    const approval = input.ModelApprovalStatus ?? (group === undefined ? undefined : 'PendingManualApproval');
    store.insert(owner, { ...key, approval, clientToken: ClientToken, digest, content: request }, now);
    tags.add(owner, arn, Tags);
    return arn;
  });
}

function packageLookup(existing: (owner: Owner, nameOrArn: string) => PackageRow): PackageLookup {
  return {
    container(owner, nameOrArn) {
      const row = existing(owner, nameOrArn);
      const content = JSON.parse(row.content) as PackageContent;
      const [container, ...more] = content.InferenceSpecification?.Containers ?? [];
      const arn = arnFor(owner, keyOfRow(row));
      if (container === undefined) throw new ValidationException(`ModelPackage ${arn} has no InferenceSpecification.`);
      if (more.length > 0) throw new NotSupportedYet('model packages of several containers');
      const { Image, ModelDataUrl, ModelDataSource, Environment } = container;
      const approved = row.version === 0 || row.approval === 'Approved';
      return { arn, approved, container: { Image, ModelDataUrl, ModelDataSource, Environment } };
    },
  };
}

/** `group/3`, `name`, or the ARN of either. */
function keyOf(nameOrArn: string): PackageKey {
  const name = nameOf(nameOrArn);
  const groups = /^(?<group>[^/]+)\/(?<version>[0-9]{1,9})$/.exec(name)?.groups;
  if (groups === undefined) return { group: '', version: 0, name };
  return { group: groups['group'] ?? '', version: Number(groups['version']), name: '' };
}

const keyOfRow = (row: PackageRow): PackageKey => ({ group: row.group_name, version: row.version, name: row.name });
const nameOfKey = (key: PackageKey): string => (key.version === 0 ? key.name : `${key.group}/${key.version}`);
const arnFor = (owner: Owner, key: PackageKey): string => arnOf(owner, 'model-package', nameOfKey(key));

function groupOf(groups: PackageGroupStore, owner: Owner, input: Input<'CreateModelPackage'>): string | undefined {
  if (input.ModelPackageGroupName === undefined) {
    if (input.ModelPackageName !== undefined) return undefined;
    throw new ValidationException('You must specify either ModelPackageName or ModelPackageGroupName.');
  }
  if (input.ModelPackageName !== undefined) {
    throw new ValidationException('You cannot specify both ModelPackageName and ModelPackageGroupName.');
  }
  const group = nameOf(input.ModelPackageGroupName);
  if (groups.find(owner, group) === undefined) throw new PackageGroupNotFound(group);
  return group;
}

/** Pending may be approved or rejected, and each of these turned into the other. Source: "Update the approval status". */
function approvalAfter(before: Approval | null, wanted: Approval | undefined): Approval | undefined {
  if (wanted === undefined || wanted === before) return before ?? undefined;
  if (before !== null && wanted === 'PendingManualApproval') throw new BadApproval(before, wanted);
  return wanted;
}

function changed(before: PackageContent, input: Input<'UpdateModelPackage'>): PackageContent {
  const metadata = changedMetadata(
    before.CustomerMetadataProperties,
    input.CustomerMetadataProperties,
    input.CustomerMetadataPropertiesToRemove,
  );
  const additional = [
    ...(before.AdditionalInferenceSpecifications ?? []),
    ...(input.AdditionalInferenceSpecificationsToAdd ?? []),
  ];
  return {
    ...before,
    CustomerMetadataProperties: metadata,
    ...(additional.length === 0 ? {} : { AdditionalInferenceSpecifications: additional }),
    ...(input.ApprovalDescription === undefined ? {} : { ApprovalDescription: input.ApprovalDescription }),
    ...(input.InferenceSpecification === undefined ? {} : { InferenceSpecification: input.InferenceSpecification }),
    ...(input.SourceUri === undefined ? {} : { SourceUri: input.SourceUri }),
    ...(input.ModelLifeCycle === undefined ? {} : { ModelLifeCycle: input.ModelLifeCycle }),
  };
}

function ofGroup(group: string | undefined, type: string | undefined): Condition | undefined {
  if (group !== undefined) return { sql: 'group_name = :group', parameters: { group } };
  if (type === 'Both') return undefined;
  // Without a group AWS lists only packages outside groups, unless it is told otherwise.
  return { sql: type === 'Versioned' ? "group_name <> ''" : "group_name = ''", parameters: {} };
}

function named(text: string | undefined): Condition | undefined {
  if (text === undefined || text === '') return undefined;
  return { sql: "instr(iif(name = '', group_name, name), :nameContains) > 0", parameters: { nameContains: text } };
}

function identity(owner: Owner, row: PackageRow) {
  const key = keyOfRow(row);
  return {
    ModelPackageArn: arnFor(owner, key),
    ...(key.version === 0 ? {} : { ModelPackageGroupName: key.group, ModelPackageVersion: key.version }),
    ...(row.approval === null ? {} : { ModelApprovalStatus: row.approval as Approval }),
    CreationTime: new Date(row.created_at),
    ModelPackageStatus: 'Completed' as const,
  };
}

function described(owner: Owner, row: PackageRow): Described {
  const content = JSON.parse(row.content) as PackageContent;
  const changedBy =
    row.modified_at === null ? {} : { LastModifiedTime: new Date(row.modified_at), LastModifiedBy: userOf(owner) };
  return {
    ...content,
    ...identity(owner, row),
    ModelPackageName: nameOfKey(keyOfRow(row)),
    ModelPackageStatusDetails: DETAILS,
    CertifyForMarketplace: content.CertifyForMarketplace ?? false,
    CreatedBy: userOf(owner),
    ...changedBy,
  } as Described;
}

function summary(owner: Owner, row: PackageRow) {
  const { ModelPackageDescription, ModelLifeCycle } = JSON.parse(row.content) as PackageContent;
  return {
    ...identity(owner, row),
    ...(row.version === 0 ? { ModelPackageName: row.name } : {}),
    ...(ModelPackageDescription === undefined ? {} : { ModelPackageDescription }),
    ...(ModelLifeCycle === undefined ? {} : { ModelLifeCycle }),
  };
}

function batchSummary(owner: Owner, row: PackageRow) {
  const { InferenceSpecification, ModelPackageDescription } = JSON.parse(row.content) as PackageContent;
  return {
    ...identity(owner, row),
    ModelPackageGroupName: row.group_name,
    InferenceSpecification: InferenceSpecification ?? { Containers: [] },
    ...(ModelPackageDescription === undefined ? {} : { ModelPackageDescription }),
  };
}
