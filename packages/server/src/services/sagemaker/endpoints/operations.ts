import type { Owner } from '@slipway/kit/machine';
import type { VariantPlan } from '../../../serving/plan.ts';
import { TIMINGS } from '../../../timing.ts';
import type { ServerParts } from '../../parts.ts';
import { arnOf } from '../arns.ts';
import type { Variant } from '../endpoint-configs/operations.ts';
import { compare, nameContains, timeFilters } from '../listing.ts';
import type { ResolvedModel } from '../models/operations.ts';
import { NotSupportedYet } from '../not-supported.ts';
import type { Operations, Output } from '../operation-types.ts';
import type { S3Access } from '../s3-access.ts';
import type { TagStore } from '../tags/store.ts';
import { createFleets, endpointEffects } from './effects.ts';
import { EndpointExists, EndpointFailed, EndpointInProgress, EndpointNotFound, SameEndpointConfig } from './errors.ts';
import { endpointMachine, newEndpoint, type DeployedVariant, type Deployment, type EndpointState } from './machine.ts';
import { endpointStore, type EndpointRow } from './store.ts';

type Described = Output<'DescribeEndpoint'>;

/** AWS waits four minutes for the first ping. */
const STARTUP_SECONDS = 240;

export interface HostingLookup {
  variants(owner: Owner, configName: string): readonly Variant[];
  model(owner: Owner, name: string): ResolvedModel;
}

export function endpoints(parts: ServerParts, s3: S3Access, tags: TagStore, lookup: HostingLookup) {
  const { db, ids, machines } = parts;
  const store = endpointStore(db);
  const fleets = createFleets(parts, s3);
  machines.register(endpointMachine(TIMINGS.instant, store), endpointEffects(parts, fleets, store));
  const serving = store.everywhere().map((row) => ({ ...row, state: JSON.parse(row.detail) as EndpointState }));
  for (const { state, name, ...owner } of serving) if (state.current !== undefined) parts.routes.expect(owner, name);

  const arnFor = (owner: Owner, name: string): string => arnOf(owner, 'endpoint', name);
  const existing = (owner: Owner, name: string): EndpointRow => {
    const row = store.find(owner, name);
    if (row === undefined) throw new EndpointNotFound(arnFor(owner, name));
    return row;
  };
  const deploy = (owner: Owner, endpoint: string, configName: string, now: number): Deployment => {
    const variants = lookup.variants(owner, configName);
    const resolved = variants.map((variant) => ({ variant, model: lookup.model(owner, variant.ModelName ?? '') }));
    return {
      configName,
      startedAt: now,
      plan: { id: `fleet-${ids.ulid()}`, owner, endpoint, variants: resolved.map(planOf) },
      variants: resolved.map(deployedOf),
    };
  };

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
        machines.create('endpoint', owner, endpointId, newEndpoint(deployment, EndpointName, now, TIMINGS.instant));
      });
      return { EndpointArn: arn };
    },

    DescribeEndpoint({ EndpointName }, { owner }) {
      return described(arnFor(owner, EndpointName), existing(owner, EndpointName));
    },

    ListEndpoints(input, { owner }) {
      const page = store.list.page({
        owner,
        sortBy: input.SortBy ?? 'CreationTime',
        descending: input.SortOrder !== 'Ascending',
        maxResults: input.MaxResults,
        nextToken: input.NextToken,
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
        EndpointStatus: row.status as Described['EndpointStatus'],
      }));
      return { Endpoints: summaries, NextToken: page.nextToken };
    },

    UpdateEndpoint({ EndpointName, EndpointConfigName, DeploymentConfig }, { owner, now }) {
      const arn = arnFor(owner, EndpointName);
      const row = existing(owner, EndpointName);
      if (DeploymentConfig !== undefined) throw new NotSupportedYet('DeploymentConfig');
      if (row.status === 'Failed') throw new EndpointFailed(arn);
      if (row.status !== 'InService') throw new EndpointInProgress(arn);
      if (row.config_name === EndpointConfigName) throw new SameEndpointConfig(arn, EndpointConfigName);
      const deployment = deploy(owner, EndpointName, EndpointConfigName, now);
      signal(owner, row, { kind: 'update', deployment }, 'Updating', now);
      return { EndpointArn: arn };
    },

    DeleteEndpoint({ EndpointName }, { owner, now }) {
      const row = existing(owner, EndpointName);
      if (row.status !== 'InService' && row.status !== 'Failed') {
        throw new EndpointInProgress(arnFor(owner, EndpointName));
      }
      signal(owner, row, { kind: 'delete' }, 'Deleting', now);
      return {};
    },
  } satisfies Operations;

  /** The row shows the new status at once, so that a second request in the same moment is refused. */
  function signal(owner: Owner, row: EndpointRow, body: object, status: 'Updating' | 'Deleting', now: number): void {
    db.transaction(() => {
      machines.signal('endpoint', owner, row.endpoint_id, body);
      store.mark(owner, row.endpoint_id, status, now);
      if (status === 'Deleting') tags.clear(owner, arnFor(owner, row.name));
    });
  }

  return {
    operations,
    exists: (owner: Owner, name: string) => store.find(owner, name) !== undefined,
    /** Brings back the workers of every endpoint that was in service, and deletes what no endpoint names. */
    async start(): Promise<void> {
      db.transaction(() => {
        for (const { account, region, endpoint_id: id } of serving) {
          machines.signal('endpoint', { account, region }, id, { kind: 'server-started' });
        }
      });
      const wanted = new Set(
        serving.flatMap(({ state }) => [state.current?.plan.id ?? '', state.pending?.plan.id ?? '']),
      );
      await fleets.sweep((id) => wanted.has(id));
    },
    close: () => fleets.close(),
  };
}

function planOf({ variant, model }: { variant: Variant; model: ResolvedModel }): VariantPlan {
  return {
    name: variant.VariantName,
    weight: variant.InitialVariantWeight ?? 1,
    modelName: model.name,
    image: model.image,
    multiModel: model.multiModel,
    cacheModels: model.cacheModels,
    environment: model.environment,
    startupMs: (variant.ContainerStartupHealthCheckTimeoutInSeconds ?? STARTUP_SECONDS) * 1000,
    ...(model.dataUrl === undefined ? {} : { dataUrl: model.dataUrl }),
  };
}

function deployedOf({ variant, model }: { variant: Variant; model: ResolvedModel }): DeployedVariant {
  return {
    name: variant.VariantName,
    weight: variant.InitialVariantWeight ?? 1,
    instanceCount: variant.InitialInstanceCount ?? 1,
    image: model.image,
    ...(variant.InstanceType === undefined ? {} : { instanceType: variant.InstanceType }),
  };
}

function described(arn: string, row: EndpointRow): Described {
  const state = JSON.parse(row.detail) as EndpointState;
  const shown = state.current ?? state.pending;
  return {
    EndpointName: row.name,
    EndpointArn: arn,
    EndpointConfigName: row.config_name,
    EndpointStatus: row.status as Described['EndpointStatus'],
    CreationTime: new Date(row.created_at),
    LastModifiedTime: new Date(row.modified_at),
    ...(state.phase === 'failed' || shown === undefined ? {} : { ProductionVariants: shown.variants.map(summaryOf) }),
    ...(state.failureReason === undefined ? {} : { FailureReason: state.failureReason }),
    ...(state.phase === 'updating' && state.pending !== undefined
      ? { PendingDeploymentSummary: pendingOf(state.pending) }
      : {}),
  } as Described;
}

function summaryOf(variant: DeployedVariant) {
  return {
    VariantName: variant.name,
    DeployedImages: [{ SpecifiedImage: variant.image, ResolvedImage: variant.image }],
    CurrentWeight: variant.weight,
    DesiredWeight: variant.weight,
    CurrentInstanceCount: variant.instanceCount,
    DesiredInstanceCount: variant.instanceCount,
  };
}

function pendingOf(pending: Deployment) {
  return {
    EndpointConfigName: pending.configName,
    StartTime: new Date(pending.startedAt),
    ProductionVariants: pending.variants.map((variant) => ({
      ...summaryOf(variant),
      CurrentInstanceCount: 0,
      ...(variant.instanceType === undefined ? {} : { InstanceType: variant.instanceType }),
      VariantStatus: [
        {
          Status: 'Creating',
          StatusMessage: `Launching ${variant.instanceCount} instance(s).`,
          StartTime: new Date(pending.startedAt),
        },
      ],
    })),
  };
}
