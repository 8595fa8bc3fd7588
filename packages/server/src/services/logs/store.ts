import type { Owner } from '@slipway/kit/machine';
import type { Database } from '@slipway/kit/sqlite';

export interface LogGroupRow {
  readonly name: string;
  readonly createdAt: number;
}

export interface LogStreamRow {
  readonly name: string;
  /** The file whose lines are its events. */
  readonly path: string;
  readonly createdAt: number;
}

const inGroup = 'account = :account AND region = :region AND log_group = :group';
const streamColumns = 'name, path, created_at AS createdAt';

const sql = {
  group: `SELECT name, created_at AS createdAt FROM log_groups
    WHERE account = :account AND region = :region AND name = :group`,
  groups: `SELECT name, created_at AS createdAt FROM log_groups
    WHERE account = :account AND region = :region AND name > :after
      AND substr(name, 1, length(:prefix)) = :prefix AND instr(lower(name), lower(:pattern)) > 0
    ORDER BY name LIMIT :limit`,
  stream: `SELECT ${streamColumns} FROM log_streams WHERE ${inGroup} AND name = :stream`,
  streams: `SELECT ${streamColumns} FROM log_streams
    WHERE ${inGroup} AND name > :after AND name >= :prefix AND substr(name, 1, length(:prefix)) = :prefix
    ORDER BY name LIMIT :limit`,
  streamsBackwards: `SELECT ${streamColumns} FROM log_streams
    WHERE ${inGroup} AND (:before = '' OR name < :before) AND substr(name, 1, length(:prefix)) = :prefix
    ORDER BY name DESC LIMIT :limit`,
};

type InGroup = { account: string; region: string; group: string };

export interface LogStore {
  group(owner: Owner, group: string): LogGroupRow | undefined;
  groups(owner: Owner, what: { after: string; prefix: string; pattern: string; limit: number }): LogGroupRow[];
  stream(owner: Owner, group: string, stream: string): LogStreamRow | undefined;
  /** By name; `after` is left out. */
  streams(owner: Owner, group: string, what: { after: string; prefix: string; limit: number }): LogStreamRow[];
  /** By name, the last first; `before` is left out, '' for the end. */
  streamsBackwards(
    owner: Owner,
    group: string,
    what: { before: string; prefix: string; limit: number },
  ): LogStreamRow[];
}

export function logStore(db: Database): LogStore {
  const group = db.statement<InGroup, LogGroupRow>(sql.group);
  const groups = db.statement<
    { account: string; region: string; after: string; prefix: string; pattern: string; limit: number },
    LogGroupRow
  >(sql.groups);
  const stream = db.statement<InGroup & { stream: string }, LogStreamRow>(sql.stream);
  const streams = db.statement<InGroup & { after: string; prefix: string; limit: number }, LogStreamRow>(sql.streams);
  const backwards = db.statement<InGroup & { before: string; prefix: string; limit: number }, LogStreamRow>(
    sql.streamsBackwards,
  );
  const at = ({ account, region }: Owner, name: string): InGroup => ({ account, region, group: name });
  return {
    group: (owner, name) => group.get(at(owner, name)),
    groups: ({ account, region }, what) => groups.all({ account, region, ...what }),
    stream: (owner, name, streamName) => stream.get({ ...at(owner, name), stream: streamName }),
    streams: (owner, name, what) => streams.all({ ...at(owner, name), ...what }),
    streamsBackwards: (owner, name, what) => backwards.all({ ...at(owner, name), ...what }),
  };
}
