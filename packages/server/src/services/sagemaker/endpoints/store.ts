import type { Instant } from '@slipway/kit/clock';
import type { Owner } from '@slipway/kit/machine';
import type { Database } from '@slipway/kit/sqlite';
import { listing, type Listing } from '../listing.ts';
import { statusOf, type EndpointState } from './machine.ts';

export interface EndpointRow {
  readonly name: string;
  /** The machine's key: a name may be used again once its endpoint is gone. */
  readonly endpoint_id: string;
  readonly status: string;
  readonly config_name: string;
  readonly created_at: Instant;
  readonly modified_at: Instant;
  /** JSON of EndpointState */
  readonly detail: string;
}

export interface LiveEndpoint extends Owner {
  readonly name: string;
  readonly endpoint_id: string;
  readonly status: string;
  readonly detail: string;
}

export interface EndpointStore {
  find(owner: Owner, name: string): EndpointRow | undefined;
  insert(owner: Owner, name: string, endpointId: string, now: Instant): void;
  update(owner: Owner, endpointId: string, state: EndpointState, now: Instant): void;
  /** Shows a status before the machine's step does. */
  mark(owner: Owner, endpointId: string, status: string, now: Instant): void;
  remove(owner: Owner, endpointId: string): void;
  /** Every endpoint of every account, for the server's start. */
  everywhere(): readonly LiveEndpoint[];
  readonly list: Listing<Omit<EndpointRow, 'detail' | 'endpoint_id' | 'config_name'>>;
}

const FIND = `
  SELECT name, endpoint_id, status, config_name, created_at, modified_at, detail
  FROM sagemaker_endpoints WHERE account = :account AND region = :region AND name = :name`;
const INSERT = `
  INSERT INTO sagemaker_endpoints
    (account, region, name, endpoint_id, status, config_name, created_at, modified_at, detail)
  VALUES (:account, :region, :name, :endpointId, 'Creating', '', :now, :now, '{}')`;
const UPDATE = `
  UPDATE sagemaker_endpoints
  SET modified_at = iif(status <> :status OR config_name <> :configName, :now, modified_at),
      status = :status, config_name = :configName, detail = :detail
  WHERE account = :account AND region = :region AND endpoint_id = :endpointId`;
const MARK = `
  UPDATE sagemaker_endpoints SET status = :status, modified_at = :now
  WHERE account = :account AND region = :region AND endpoint_id = :endpointId`;
const REMOVE = `
  DELETE FROM sagemaker_endpoints WHERE account = :account AND region = :region AND endpoint_id = :endpointId`;
const EVERYWHERE = `SELECT account, region, name, endpoint_id, status, detail FROM sagemaker_endpoints`;

type Scope = { account: string; region: string };

export function endpointStore(db: Database): EndpointStore {
  const find = db.statement<Scope & { name: string }, EndpointRow>(FIND);
  const insert = db.statement<Scope & { name: string; endpointId: string; now: number }>(INSERT);
  const update = db.statement<
    Scope & { endpointId: string; status: string; configName: string; detail: string; now: number }
  >(UPDATE);
  const mark = db.statement<Scope & { endpointId: string; status: string; now: number }>(MARK);
  const remove = db.statement<Scope & { endpointId: string }>(REMOVE);
  const everywhere = db.statement<void, LiveEndpoint>(EVERYWHERE);
  const scope = ({ account, region }: Owner): Scope => ({ account, region });
  return {
    find: (owner, name) => find.get({ ...scope(owner), name }),
    insert: (owner, name, endpointId, now) => void insert.run({ ...scope(owner), name, endpointId, now }),
    update(owner, endpointId, state, now) {
      const configName = (state.current ?? state.pending)?.configName ?? '';
      const detail = JSON.stringify(state);
      update.run({ ...scope(owner), endpointId, status: statusOf(state), configName, detail, now });
    },
    mark: (owner, endpointId, status, now) => void mark.run({ ...scope(owner), endpointId, status, now }),
    remove: (owner, endpointId) => void remove.run({ ...scope(owner), endpointId }),
    everywhere: () => everywhere.all(),
    list: listing({
      db,
      table: 'sagemaker_endpoints',
      columns: 'name, status, created_at, modified_at',
      sorts: { CreationTime: 'sequence', Name: 'name', Status: 'status' },
    }),
  };
}
