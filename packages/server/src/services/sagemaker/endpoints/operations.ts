import type { Owner } from '@slipway/kit/machine';
import type { Fleets } from '../../../serving/fleets.ts';
import type { ServerParts } from '../../parts.ts';
import { arnOf } from '../arns.ts';
import { compare, nameContains, timeFilters, paging } from '../listing.ts';
import { NotSupportedYet } from '../not-supported.ts';
import type { Input, Operations, Output } from '../operation-types.ts';
import type { S3Access } from '../s3-access.ts';
import type { TagStore } from '../tags/store.ts';
import { createFleets, endpointEffects } from './effects.ts';
import { EndpointExists, EndpointFailed, EndpointInProgress, EndpointNotFound, SameEndpointConfig } from './errors.ts';
import { deploymentOf, type HostingLookup } from './deployment.ts';
import { describedEndpoint } from './describe.ts';
import { endpointMachine, newEndpoint, type Deployment, type EndpointSignal, type EndpointState } from './machine.ts';
import { endpointStore, type EndpointRow, type EndpointStore, type LiveEndpoint } from './store.ts';

export function endpoints(parts: ServerParts, s3: S3Access, tags: TagStore, lookup: HostingLookup) {
  const { db, ids, machines } = parts;
  const store = endpointStore(db);
  const fleets = createFleets(parts, s3);
  const inService = (owner: Owner, endpoint: string): void => parts.routes.expect(owner, endpoint);
  machines.register(endpointMachine(parts.timing, store, inService), endpointEffects(parts, fleets, store));
  const serving = store.everywhere().map((row) => ({ ...row, state: JSON.parse(row.detail) as EndpointState }));
  for (const { state, name, ...owner } of serving) if (state.current !== undefined) parts.routes.expect(owner, name);

  const existing = (owner: Owner, name: string): EndpointRow => {
    const row = store.find(owner, name);
    if (row === undefined) throw new EndpointNotFound(arnFor(owner, name));
    return row;
  };
  const deploy = (owner: Owner, endpoint: string, configName: string, now: number): Deployment =>
    deploymentOf(lookup, { owner, endpoint, configName, fleetId: `fleet-${ids.ulid()}`, now });

  /** The row shows the new status at once, so that a second request in the same moment is refused. */
  const announce = (owner: Owner, row: EndpointRow, signal: EndpointSignal, status: string, now: number): void =>
    db.transaction(() => {
      machines.signal('endpoint', owner, row.endpoint_id, signal);
      store.mark(owner, row.endpoint_id, status, now);
      if (signal.kind === 'delete') tags.clear(owner, arnFor(owner, row.name));
    });

  const operations = {
    CreateEndpoint({ EndpointName, EndpointConfigName, Tags, DeploymentConfig }, { owner, now }) {
      const arn = arnFor(owner, EndpointName);
      if (DeploymentConfig !== undefined) throw new NotSupportedYet('DeploymentConfig');
      if (store.find(owner, EndpointName) !== undefined) throw new EndpointExists(arn);
      const deployment = deploy(owner, EndpointName, EndpointConfigName, now);
      tags.check(Tags);
      const endpointId = `endpoint-${ids.ulid()}`;
      db.transaction(() => {
        store.insert(owner, EndpointName, endpointId, now);
        tags.add(owner, arn, Tags);
        machines.create('endpoint', owner, endpointId, newEndpoint(deployment, EndpointName, now, parts.timing));
      });
      return { EndpointArn: arn };
    },

    DescribeEndpoint({ EndpointName }, { owner }) {
      return describedEndpoint(arnFor(owner, EndpointName), existing(owner, EndpointName));
    },

    ListEndpoints: (input, { owner }) => listEndpoints(store, owner, input),

    UpdateEndpoint({ EndpointName, EndpointConfigName, DeploymentConfig }, { owner, now }) {
      const arn = arnFor(owner, EndpointName);
      const row = existing(owner, EndpointName);
      if (DeploymentConfig !== undefined) throw new NotSupportedYet('DeploymentConfig');
      if (row.status === 'Failed') throw new EndpointFailed(arn);
      if (row.status !== 'InService') throw new EndpointInProgress(arn);
      if (row.config_name === EndpointConfigName) throw new SameEndpointConfig(arn, EndpointConfigName);
      const deployment = deploy(owner, EndpointName, EndpointConfigName, now);
      announce(owner, row, { kind: 'update', deployment }, 'Updating', now);
      return { EndpointArn: arn };
    },

    DeleteEndpoint({ EndpointName }, { owner, now }) {
      const row = existing(owner, EndpointName);
      if (row.status !== 'InService' && row.status !== 'Failed') {
        throw new EndpointInProgress(arnFor(owner, EndpointName));
      }
      announce(owner, row, { kind: 'delete' }, 'Deleting', now);
      return {};
    },
  } satisfies Operations;

  return {
    operations,
    exists: (owner: Owner, name: string) => store.find(owner, name) !== undefined,
    start: () => restore(parts, fleets, serving),
    close: () => fleets.close(),
  };
}

const arnFor = (owner: Owner, name: string): string => arnOf(owner, 'endpoint', name);

function listEndpoints(store: EndpointStore, owner: Owner, input: Input<'ListEndpoints'>): Output<'ListEndpoints'> {
  const page = store.list.page({
    ...paging(owner, input, true),
    conditions: [
      nameContains(input.NameContains),
      compare('status', '=', 'status', input.StatusEquals),
      ...timeFilters(input),
    ],
  });
  const summaries = page.rows.map((row) => ({
    EndpointName: row.name,
    EndpointArn: arnFor(owner, row.name),
    CreationTime: new Date(row.created_at),
    LastModifiedTime: new Date(row.modified_at),
    EndpointStatus: row.status as Output<'DescribeEndpoint'>['EndpointStatus'],
  }));
  return { Endpoints: summaries, NextToken: page.nextToken };
}

type Serving = LiveEndpoint & { readonly state: EndpointState };

/** Brings back the workers of every endpoint that was in service, and deletes what no endpoint names. */
async function restore({ db, machines }: ServerParts, fleets: Fleets, serving: readonly Serving[]): Promise<void> {
  db.transaction(() => {
    for (const { account, region, endpoint_id: id } of serving) {
      machines.signal('endpoint', { account, region }, id, { kind: 'server-started' });
    }
  });
  const wanted = new Set(serving.flatMap(({ state }) => [state.current?.plan.id, state.pending?.plan.id]));
  await fleets.sweep((id) => wanted.has(id));
}
