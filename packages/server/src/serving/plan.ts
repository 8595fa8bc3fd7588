import type { Owner } from '@slipway/kit/machine';

/**
 * What an endpoint serves, resolved once when it is created or updated. It is kept with the endpoint, so that configs and
 * models may be deleted while it lives, and so that it can be built again after a restart.
 */
export interface FleetPlan {
  /** Unique for ever; names the fleet's folder. */
  readonly id: string;
  readonly owner: Owner;
  readonly endpoint: string;
  readonly variants: readonly VariantPlan[];
}

export interface VariantPlan {
  readonly name: string;
  readonly weight: number;
  readonly modelName: string;
  readonly image: string;
  /** `s3://bucket/key` of an archive, or a prefix for a multi-model variant. Absent: the container brings its model. */
  readonly dataUrl?: string;
  readonly multiModel: boolean;
  /** False: a model is unloaded after each request. */
  readonly cacheModels: boolean;
  readonly environment: Readonly<Record<string, string>>;
  readonly startupMs: number;
}
