import type { Owner } from '@slipway/kit/machine';
import type { Database } from '@slipway/kit/sqlite';
import { ValidationException } from '../../../wire/errors.ts';
import { parseArn } from '../arns.ts';
import type { Operations } from '../operation-types.ts';
import type { TagStore } from './store.ts';

/** Whether a resource is there, by the type in its ARN; a type that is absent here is not checked. */
export type Resources = Readonly<Record<string, (owner: Owner, name: string) => boolean>>;

export function tagOperations(db: Database, tags: TagStore, resources: Resources) {
  const check = (owner: Owner, arn: string): void => {
    const parsed = parseArn(arn);
    if (parsed === undefined || parsed.account !== owner.account || parsed.region !== owner.region) {
      throw new ValidationException(`The ARN ${arn} names no resource of this account and region.`);
    }
    const exists = resources[parsed.type];
    if (exists !== undefined && !exists(owner, parsed.name)) {
      throw new ValidationException(`The resource ${arn} does not exist.`);
    }
    if (parsed.type === 'model-package' && parsed.name.includes('/')) {
      throw new ValidationException(`Versioned model packages cannot carry tags; tag their group instead (${arn}).`);
    }
  };
  return {
    AddTags({ ResourceArn, Tags }, { owner }) {
      check(owner, ResourceArn);
      tags.check(Tags);
      db.transaction(() => tags.add(owner, ResourceArn, Tags));
      return { Tags: [...tags.list(owner, ResourceArn)] };
    },
    // Terraform asks for the tags of everything, so an ARN without any is no error.
    ListTags({ ResourceArn, MaxResults, NextToken }, { owner }) {
      const all = tags.list(owner, ResourceArn);
      const from = NextToken === undefined ? 0 : Number(NextToken);
      if (!Number.isSafeInteger(from) || from < 0) throw new ValidationException('The pagination token is invalid.');
      const to = from + (MaxResults ?? all.length);
      return { Tags: all.slice(from, to), NextToken: to < all.length ? String(to) : undefined };
    },
    DeleteTags({ ResourceArn, TagKeys }, { owner }) {
      check(owner, ResourceArn);
      tags.remove(owner, ResourceArn, TagKeys);
      return {};
    },
  } satisfies Operations;
}
