import type { Owner } from '@slipway/kit/machine';
import type { VariantPlan } from '../../../serving/plan.ts';
import type { Variant } from '../endpoint-configs/operations.ts';
import type { ResolvedModel } from '../models/operations.ts';
import type { DeployedVariant, Deployment } from './machine.ts';

/** AWS waits four minutes for the first ping. */
const STARTUP_SECONDS = 240;

/** Endpoint configs and models as they are now; both may be deleted later, while the endpoint lives. */
export interface HostingLookup {
  variants(owner: Owner, configName: string): readonly Variant[];
  model(owner: Owner, name: string): ResolvedModel;
}

export interface DeploymentRequest {
  readonly owner: Owner;
  readonly endpoint: string;
  readonly configName: string;
  readonly fleetId: string;
  readonly now: number;
}

/** Everything a config names, resolved. @throws EndpointConfigNotFound, ModelNotFound */
export function deploymentOf(lookup: HostingLookup, request: DeploymentRequest): Deployment {
  const { owner, endpoint, configName, fleetId, now } = request;
  const resolved = lookup
    .variants(owner, configName)
    .map((variant) => ({ variant, model: lookup.model(owner, variant.ModelName ?? '') }));
  return {
    configName,
    startedAt: now,
    plan: { id: fleetId, owner, endpoint, variants: resolved.map(planOf) },
    variants: resolved.map(deployedOf),
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
