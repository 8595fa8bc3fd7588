import {
  CreateEndpointCommand,
  CreateEndpointConfigCommand,
  CreateModelCommand,
  DescribeEndpointConfigCommand,
  DescribeModelCommand,
  UpdateEndpointCommand,
} from '@aws-sdk/client-sagemaker';
import type { ContainerDefinition } from '@aws-sdk/client-sagemaker';
import { EndpointFailed, RolledBack } from '../errors.ts';
import type { OnEvent } from '../events.ts';
import type { ResolvedServe } from '../project/model.ts';
import type { Lease } from '../releases/lease.ts';
import type { Site } from '../site.ts';
import { isNotFound } from '../aws-errors.ts';
import { waitFor } from '../wait.ts';
import { describeEndpoint } from './live.ts';
import type { DescribedEndpoint } from './live.ts';

/** The one name a variant has for life: deployment guardrails refuse an update that changes it. */
export const VARIANT = 'AllTraffic';

export interface Hands {
  readonly site: Site;
  readonly project: string;
  readonly lease: Lease;
  readonly onEvent: OnEvent;
  readonly signal: AbortSignal | undefined;
}

const SETTLED = new Set(['Absent', 'InService', 'OutOfService', 'Failed', 'UpdateRollbackFailed']);

/** Waits until an endpoint is not on its way anywhere. */
export async function settle(
  hands: Pick<Hands, 'site' | 'onEvent' | 'signal'>,
  endpoint: string,
): Promise<DescribedEndpoint> {
  let last = '';
  return waitFor(`the endpoint ${endpoint}`, hands.signal, async () => {
    const found = await describeEndpoint(hands.site, endpoint);
    if (found.status !== last && found.status !== 'Absent') {
      hands.onEvent({ type: 'status', subject: endpoint, status: found.status });
    }
    last = found.status;
    return SETTLED.has(found.status) ? found : undefined;
  });
}

/** Makes the Model of this name unless there is one: its name is its content. */
export async function ensureModel(hands: Hands, name: string, container: ContainerDefinition): Promise<void> {
  const { sagemaker } = hands.site.aws;
  if (await exists(() => sagemaker.send(new DescribeModelCommand({ ModelName: name })))) return;
  await hands.lease.check();
  await tolerateExisting(() =>
    sagemaker.send(
      new CreateModelCommand({
        ModelName: name,
        PrimaryContainer: container,
        ExecutionRoleArn: hands.site.env.role,
        Tags: tags(hands),
      }),
    ),
  );
  hands.onEvent({ type: 'change', subject: name, detail: 'model created' });
}

export async function ensureConfig(hands: Hands, name: string, model: string, serve: ResolvedServe): Promise<void> {
  const { sagemaker } = hands.site.aws;
  if (await exists(() => sagemaker.send(new DescribeEndpointConfigCommand({ EndpointConfigName: name })))) return;
  await hands.lease.check();
  await tolerateExisting(() =>
    sagemaker.send(
      new CreateEndpointConfigCommand({
        EndpointConfigName: name,
        ProductionVariants: [
          {
            VariantName: VARIANT,
            ModelName: model,
            InitialInstanceCount: serve.count,
            InstanceType: serve.instance as 'ml.m5.large',
            InitialVariantWeight: 1,
          },
        ],
        Tags: tags(hands),
      }),
    ),
  );
  hands.onEvent({ type: 'change', subject: name, detail: 'endpoint config created' });
}

/**
 * Brings the endpoint to this config and compares what is live with what was asked for: an update that was rolled back
 * leaves an endpoint that is InService, which alone says nothing.
 *
 * @throws RolledBack, EndpointFailed, Interrupted
 */
export async function bringTo(hands: Hands, endpoint: string, config: string): Promise<void> {
  const before = await settle(hands, endpoint);
  if (before.status === 'InService' && before.config === config) return;
  refuseBroken(endpoint, before);
  await hands.lease.check();
  const { sagemaker } = hands.site.aws;
  if (before.status === 'Absent') {
    await tolerateExisting(() =>
      sagemaker.send(
        new CreateEndpointCommand({ EndpointName: endpoint, EndpointConfigName: config, Tags: tags(hands) }),
      ),
    );
    hands.onEvent({ type: 'change', subject: endpoint, detail: `endpoint being created with ${config}` });
  } else {
    await update(hands, endpoint, config);
    hands.onEvent({ type: 'change', subject: endpoint, detail: `endpoint being updated to ${config}` });
  }
  const after = await settle(hands, endpoint);
  refuseBroken(endpoint, after);
  if (after.config !== config) throw new RolledBack(endpoint, config, after.config ?? 'nothing', after.reason);
}

// A repeated request finds the update that the first one started; what came of it is compared afterwards all the same.
async function update(hands: Hands, endpoint: string, config: string): Promise<void> {
  try {
    await hands.site.aws.sagemaker.send(
      new UpdateEndpointCommand({ EndpointName: endpoint, EndpointConfigName: config }),
    );
  } catch (error) {
    const found = await describeEndpoint(hands.site, endpoint);
    if (found.status !== 'Updating') throw error;
  }
}

function refuseBroken(endpoint: string, found: DescribedEndpoint): void {
  if (found.status === 'InService' || found.status === 'Absent') return;
  throw new EndpointFailed(endpoint, found.status, found.reason);
}

function tags(hands: Hands): { Key: string; Value: string }[] {
  return [
    { Key: 'delivery:project', Value: hands.project },
    { Key: 'delivery:env', Value: hands.site.env.name },
  ];
}

async function exists(describe: () => Promise<unknown>): Promise<boolean> {
  try {
    await describe();
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

async function tolerateExisting(create: () => Promise<unknown>): Promise<void> {
  try {
    await create();
  } catch (error) {
    if (!(error instanceof Error) || !/already exist/i.test(error.message)) throw error;
  }
}
