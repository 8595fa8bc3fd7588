import type { Owner } from '@slipway/kit/machine';
import type { Database } from '@slipway/kit/sqlite';
import { ValidationException } from '../../../wire/errors.ts';

export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/** Tags by their resource's ARN, for every resource of the service. */
export interface TagStore {
  /** @throws ValidationException for a key that is given twice or a reserved one */
  check(tags: readonly Tag[] | undefined): void;
  /** Joins the caller's transaction. @throws ValidationException above the limit of a resource */
  add(owner: Owner, arn: string, tags: readonly Tag[] | undefined): void;
  list(owner: Owner, arn: string): readonly Tag[];
  remove(owner: Owner, arn: string, keys: readonly string[]): void;
  clear(owner: Owner, arn: string): void;
}

/** Source: the model's TagList and the developer guide's limits. */
const TAGS_MAX = 50;

const PUT = `
  INSERT INTO sagemaker_tags (account, region, arn, key, value) VALUES (:account, :region, :arn, :key, :value)
  ON CONFLICT (account, region, arn, key) DO UPDATE SET value = excluded.value`;
const LIST = `
  SELECT key AS Key, value AS Value FROM sagemaker_tags
  WHERE account = :account AND region = :region AND arn = :arn ORDER BY sequence`;
const REMOVE = `
  DELETE FROM sagemaker_tags WHERE account = :account AND region = :region AND arn = :arn AND key = :key`;
const CLEAR = `DELETE FROM sagemaker_tags WHERE account = :account AND region = :region AND arn = :arn`;

type Resource = { account: string; region: string; arn: string };

export function tagStore(db: Database): TagStore {
  const put = db.statement<Resource & { key: string; value: string }>(PUT);
  const list = db.statement<Resource, Tag>(LIST);
  const remove = db.statement<Resource & { key: string }>(REMOVE);
  const clear = db.statement<Resource>(CLEAR);
  const of = ({ account, region }: Owner, arn: string): Resource => ({ account, region, arn });
  return {
    check(tags) {
      const keys = (tags ?? []).map(({ Key }) => Key);
      if (new Set(keys).size < keys.length) throw new ValidationException('Duplicate tag keys found.');
      const reserved = keys.find((key) => /^aws:/i.test(key));
      if (reserved !== undefined) {
        throw new ValidationException(`aws: prefixed tag key names are not allowed for external use: ${reserved}`);
      }
    },
    add(owner, arn, tags) {
      if (tags === undefined || tags.length === 0) return;
      db.transaction(() => {
        for (const { Key, Value } of tags) put.run({ ...of(owner, arn), key: Key, value: Value });
        if (list.all(of(owner, arn)).length > TAGS_MAX) {
          throw new ValidationException(`A resource can have at most ${TAGS_MAX} tags.`);
        }
      });
    },
    list: (owner, arn) => list.all(of(owner, arn)),
    remove(owner, arn, keys) {
      db.transaction(() => {
        for (const key of keys) remove.run({ ...of(owner, arn), key });
      });
    },
    clear(owner, arn) {
      clear.run(of(owner, arn));
    },
  };
}
