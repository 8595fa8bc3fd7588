import type { Output } from '../operation-types.ts';
import type { DeployedVariant, Deployment, EndpointState } from './machine.ts';
import type { EndpointRow } from './store.ts';

type Described = Output<'DescribeEndpoint'>;

/** DescribeEndpoint's answer: during an update the serving fleet, with the coming one in PendingDeploymentSummary. */
export function describedEndpoint(arn: string, row: EndpointRow): Described {
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
