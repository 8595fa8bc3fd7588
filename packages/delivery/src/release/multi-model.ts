import { InvokeEndpointCommand } from '@aws-sdk/client-sagemaker-runtime';
import { canonical, digestOf, short } from '../digest.ts';
import { ConcurrentChange, DeliveryError, RolledBack } from '../errors.ts';
import { configName, fitName, keys } from '../names.ts';
import { listObjects, parseUri } from '../objects.ts';
import type { ResolvedServe } from '../project/model.ts';
import { describeVersion } from '../registry.ts';
import type { Version } from '../registry.ts';
import type { Move } from '../releases/releases.ts';
import type { Site } from '../site.ts';
import { waitFor } from '../wait.ts';
import { bringTo, ensureConfig, ensureModel, VARIANT } from './endpoint.ts';
import type { Hands } from './endpoint.ts';
import type { LiveEndpoint, RouteEntry, RouteMap } from './live.ts';

/** How often a target that is still loading is asked again. */
const WARM_LOOKS_MAX = 200;

/** The names that follow from what the endpoint is. Models are not in them: they come and go by the route map. */
export function multiModelNames(site: Site, project: string, serve: ResolvedServe): { model: string; config: string } {
  const container = { image: serve.image, prefix: fleetUri(site, serve.endpoint), role: site.env.role };
  const model = fitName(`${project}-${serve.endpoint}`, short(digestOf(container)));
  const { instance, count } = serve;
  return { model, config: configName(serve.endpoint, { model, instance, count, variant: VARIANT }) };
}

function fleetUri(site: Site, endpoint: string): string {
  return site.objects.uri(keys.fleet(site.env.name, endpoint));
}

/** Releases all moves of one endpoint: artifacts, endpoint, warm-up, and last the route map in one write. */
export async function releaseMultiModel(
  hands: Hands,
  registry: Site,
  serve: ResolvedServe,
  live: LiveEndpoint,
  moves: readonly Move[],
  sequence: number,
): Promise<void> {
  const { site } = hands;
  const versions = new Map<string, Version>();
  for (const move of moves) {
    const version = await describeVersion(registry, move.to);
    if (version === undefined) throw new DeliveryError(`${move.to} is not in the registry any more.`);
    versions.set(move.model, version);
    await placeArtifact(hands, registry, serve.endpoint, move.model, version);
  }
  const names = multiModelNames(site, hands.project, serve);
  await ensureModel(hands, names.model, {
    Image: serve.image,
    Mode: 'MultiModel',
    ModelDataUrl: fleetUri(site, serve.endpoint),
  });
  await ensureConfig(hands, names.config, names.model, serve);
  await bringTo(hands, serve.endpoint, names.config);
  for (const move of moves) {
    const version = versions.get(move.model);
    if (version !== undefined) await warm(hands, registry, serve.endpoint, move.model, version, live);
  }
  if (moves.length > 0) await writeRoutes(hands, serve.endpoint, live, moves, sequence);
}

function targetOf(model: string, version: number): string {
  return `${model}/${version}.tar.gz`;
}

/** Copies the artifact to its key, which is never written twice: an endpoint does not notice that a key changed. */
async function placeArtifact(
  hands: Hands,
  registry: Site,
  endpoint: string,
  model: string,
  version: Version,
): Promise<void> {
  const { objects, env } = hands.site;
  const key = keys.fleet(env.name, endpoint) + targetOf(model, version.version);
  const { bucket, key: source } = parseUri(version.artifact);
  const [original] = await listObjects(registry.aws.s3, bucket, source, { limit: 1 });
  if (original === undefined || original.key !== source) {
    throw new DeliveryError(`The artifact ${version.artifact} of ${model} v${version.version} is gone.`);
  }
  if ((await objects.head(key)) === undefined) {
    await hands.lease.check();
    await objects.copyNew(version.artifact, key);
    hands.onEvent({ type: 'change', subject: objects.uri(key), detail: 'artifact copied', model });
  }
  const copy = await objects.head(key);
  // An ETag with a hyphen is of parts, and a copy may have other parts; the size still tells.
  const comparable = !original.etag.includes('-') && !(copy?.etag.includes('-') ?? false);
  if (copy?.bytes !== original.bytes || (comparable && copy.etag !== original.etag)) {
    throw new DeliveryError(
      `${objects.uri(key)} is not the artifact of ${model} v${version.version}.`,
      'Something else wrote it. Register the model again as a new version.',
    );
  }
}

/** Has the new target loaded and answering before anyone is sent to it. @throws RolledBack if it does not answer */
async function warm(
  hands: Hands,
  registry: Site,
  endpoint: string,
  model: string,
  version: Version,
  live: LiveEndpoint,
): Promise<void> {
  const target = targetOf(model, version.version);
  const run = version.runId;
  const sample =
    run === undefined ? undefined : await registry.objects.text(`${keys.run(model, run)}/evaluation/sample.csv`);
  if (sample === undefined) {
    hands.onEvent({
      type: 'note',
      model,
      text: `${target} has no sample row to warm it with; its first call loads it`,
    });
    return;
  }
  let looks = 0;
  await waitFor(`the load of ${target}`, hands.signal, async () => {
    try {
      await hands.site.aws.runtime.send(
        new InvokeEndpointCommand({
          EndpointName: endpoint,
          TargetModel: target,
          ContentType: 'text/csv',
          Body: new TextEncoder().encode(sample.text),
        }),
      );
      return true;
    } catch (error) {
      looks += 1;
      const loading = error instanceof Error && error.name === 'ModelNotReadyException' && looks < WARM_LOOKS_MAX;
      if (loading) return undefined;
      const reason = error instanceof Error ? error.message : String(error);
      const before = live.models[model]?.target ?? 'nothing';
      throw new RolledBack(endpoint, target, before, `it does not answer its sample row: ${reason}`);
    }
  });
  hands.onEvent({ type: 'change', subject: `${endpoint}/${target}`, detail: 'loaded and answering', model });
}

async function writeRoutes(
  hands: Hands,
  endpoint: string,
  live: LiveEndpoint,
  moves: readonly Move[],
  sequence: number,
): Promise<void> {
  const { objects, env } = hands.site;
  const key = keys.routes(env.name, endpoint);
  const before = live.routes;
  const models: Record<string, readonly RouteEntry[]> = { ...before?.map.models };
  for (const move of moves) {
    const { to: arn, version } = move;
    models[move.model] = [{ target: targetOf(move.model, version), weight: 100, arn, version }];
  }
  const map: RouteMap = {
    schemaVersion: '1',
    endpoint,
    sequence,
    models,
    ...(before === undefined ? {} : { previous: { sequence: before.map.sequence, models: before.map.models } }),
  };
  await hands.lease.check();
  const body = canonical(map);
  const written =
    before === undefined ? await objects.putNew(key, body) : await objects.putOver(key, body, before.etag);
  if (written === undefined) {
    const there = await objects.json<RouteMap>(key);
    // A retry of our own request finds our own map there.
    if (there === undefined || canonical(there.value) !== body) {
      throw new ConcurrentChange(`The route map ${objects.uri(key)} was changed by another command.`, 'Run it again.');
    }
  }
  hands.onEvent({ type: 'change', subject: objects.uri(key), detail: `routes of release ${sequence}` });
}
