import type { ContainerDefinition } from '@aws-sdk/client-sagemaker';
import { DeliveryError } from '../errors.ts';
import { configName, modelName } from '../names.ts';
import type { ResolvedServe } from '../project/model.ts';
import { describeVersion } from '../registry.ts';
import type { Version } from '../registry.ts';
import type { Move } from '../releases/releases.ts';
import type { Site } from '../site.ts';
import { bringTo, ensureConfig, ensureModel, VARIANT } from './endpoint.ts';
import type { Hands } from './endpoint.ts';

/** The names that follow from the version and from how it is served. */
export function realtimeNames(
  site: Site,
  model: string,
  serve: ResolvedServe,
  release: { readonly arn: string; readonly version: number },
): { model: string; config: string } {
  const name = modelName(`${model}-${release.version}`, { arn: release.arn, image: serve.image, role: site.env.role });
  const { instance, count } = serve;
  return { model: name, config: configName(serve.endpoint, { model: name, instance, count, variant: VARIANT }) };
}

/** Releases one version to an endpoint of its own. */
export async function releaseRealtime(
  hands: Hands,
  registry: Site,
  serve: ResolvedServe,
  move: Pick<Move, 'model' | 'to' | 'version'>,
): Promise<void> {
  const version = await describeVersion(registry, move.to);
  if (version === undefined) throw new DeliveryError(`${move.to} is not in the registry any more.`);
  const names = realtimeNames(hands.site, move.model, serve, { arn: move.to, version: move.version });
  await ensureModel(hands, names.model, container(version));
  await ensureConfig(hands, names.config, names.model, serve);
  await bringTo(hands, serve.endpoint, names.config);
}

/** SageMaker makes a model from a package only once it is approved; an environment that needs none names its parts. */
function container(version: Version): ContainerDefinition {
  if (version.status === 'Approved') return { ModelPackageName: version.arn };
  return { Image: version.image, ModelDataUrl: version.artifact, Environment: { ...version.environment } };
}
