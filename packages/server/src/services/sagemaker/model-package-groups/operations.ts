import type { Owner } from '@slipway/kit/machine';
import type { ServerParts } from '../../parts.ts';
import { arnOf, nameOf } from '../arns.ts';
import { nameContains, timeFilters, paging } from '../listing.ts';
import type { Input, Operations, Output } from '../operation-types.ts';
import { userOf } from '../model-packages/user.ts';
import type { TagStore } from '../tags/store.ts';
import { PackageGroupExists, PackageGroupNotEmpty, PackageGroupNotFound } from './errors.ts';
import type { PackageGroupRow, PackageGroupStore } from './store.ts';

type Request = Omit<Input<'CreateModelPackageGroup'>, 'Tags'>;

export function modelPackageGroups(
  parts: ServerParts,
  store: PackageGroupStore,
  tags: TagStore,
  hasPackages: (owner: Owner, group: string) => boolean,
) {
  const { db } = parts;
  const arnFor = (owner: Owner, name: string): string => arnOf(owner, 'model-package-group', name);
  const existing = (owner: Owner, nameOrArn: string): PackageGroupRow => {
    const row = store.find(owner, nameOf(nameOrArn));
    if (row === undefined) throw new PackageGroupNotFound(nameOf(nameOrArn));
    return row;
  };

  const operations = {
    CreateModelPackageGroup(input, { owner, now }) {
      const { Tags, ...request } = input;
      const arn = arnFor(owner, input.ModelPackageGroupName);
      if (store.find(owner, input.ModelPackageGroupName) !== undefined) throw new PackageGroupExists(arn);
      tags.check(Tags);
      db.transaction(() => {
        store.insert(owner, input.ModelPackageGroupName, request, now);
        tags.add(owner, arn, Tags);
      });
      return { ModelPackageGroupArn: arn };
    },

    DescribeModelPackageGroup({ ModelPackageGroupName }, { owner }) {
      const row = existing(owner, ModelPackageGroupName);
      return {
        ...(JSON.parse(row.request) as Request),
        ModelPackageGroupArn: arnFor(owner, row.name),
        CreationTime: new Date(row.created_at),
        CreatedBy: userOf(owner),
        ModelPackageGroupStatus: 'Completed',
      } as Output<'DescribeModelPackageGroup'>;
    },

    ListModelPackageGroups(input, { owner }) {
      const page = store.list.page({
        ...paging(owner, input, false),
        conditions: [nameContains(input.NameContains), ...timeFilters(input)],
      });
      const summaries = page.rows.map((row) => {
        const { ModelPackageGroupDescription } = JSON.parse(row.request) as Request;
        return {
          ModelPackageGroupName: row.name,
          ModelPackageGroupArn: arnFor(owner, row.name),
          ...(ModelPackageGroupDescription === undefined ? {} : { ModelPackageGroupDescription }),
          CreationTime: new Date(row.created_at),
          ModelPackageGroupStatus: 'Completed' as const,
        };
      });
      return { ModelPackageGroupSummaryList: summaries, NextToken: page.nextToken };
    },

    DeleteModelPackageGroup({ ModelPackageGroupName }, { owner }) {
      const row = existing(owner, ModelPackageGroupName);
      if (hasPackages(owner, row.name)) throw new PackageGroupNotEmpty();
      db.transaction(() => {
        store.remove(owner, row.name);
        tags.clear(owner, arnFor(owner, row.name));
      });
      return {};
    },
  } satisfies Operations;
  return { operations, exists: (owner: Owner, name: string) => store.find(owner, name) !== undefined };
}
