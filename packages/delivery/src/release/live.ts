import {
  DescribeEndpointCommand,
  DescribeEndpointConfigCommand,
  DescribeModelCommand,
} from '@aws-sdk/client-sagemaker';
import { keys } from '../names.ts';
import type { ResolvedServe } from '../project/model.ts';
import type { ReleaseState } from '../releases/releases.ts';
import type { Site } from '../site.ts';
import { isNotFound } from '../aws-errors.ts';

/** One target of a multi-model endpoint that a model's callers are sent to. */
export interface RouteEntry {
  /** The key under the endpoint's prefix, for example `churn/3.tar.gz`. */
  readonly target: string;
  readonly weight: number;
  readonly arn: string;
  readonly version: number;
}

export type Routes = Readonly<Record<string, readonly RouteEntry[]>>;

/** `envs/<env>/routes/<endpoint>.json`: what callers of a multi-model endpoint read. */
export interface RouteMap {
  readonly schemaVersion: '1';
  readonly endpoint: string;
  /** Of the release's intent: an older writer cannot pass for a newer one. */
  readonly sequence: number;
  readonly models: Routes;
  readonly previous?: { readonly sequence: number; readonly models: Routes };
}

export interface LiveEndpoint {
  readonly endpoint: string;
  /** As Describe words it; `Absent` where there is none. */
  readonly status: string;
  readonly config: string | undefined;
  readonly reason: string;
  readonly routes: { readonly map: RouteMap; readonly etag: string } | undefined;
  /** By model: what serves. */
  readonly models: Readonly<Record<string, { readonly arn: string; readonly target?: string }>>;
}

export interface DescribedEndpoint {
  readonly status: string;
  readonly config: string | undefined;
  readonly reason: string;
}

export async function describeEndpoint(site: Site, endpoint: string): Promise<DescribedEndpoint> {
  try {
    const found = await site.aws.sagemaker.send(new DescribeEndpointCommand({ EndpointName: endpoint }));
    return {
      status: found.EndpointStatus ?? 'Unknown',
      config: found.EndpointConfigName,
      reason: found.FailureReason ?? '',
    };
  } catch (error) {
    if (isNotFound(error)) return { status: 'Absent', config: undefined, reason: '' };
    throw error;
  }
}

/**
 * What an endpoint serves, by Describe and, for a multi-model one, by its route map. Lists and searches decide nothing.
 *
 * @param models the models that the project sends to it
 */
export async function readLive(
  site: Site,
  serve: ResolvedServe,
  models: readonly string[],
  releases: ReleaseState,
): Promise<LiveEndpoint> {
  const { endpoint } = serve;
  const described = await describeEndpoint(site, endpoint);
  if (serve.mode === 'multi-model') {
    const found = await site.objects.json<RouteMap>(keys.routes(site.env.name, endpoint));
    const routes = found === undefined ? undefined : { map: found.value, etag: found.etag };
    const gone = described.status === 'Absent';
    const entries = gone ? [] : Object.entries(routes?.map.models ?? {});
    const live = entries.flatMap(([model, [first]]) =>
      first === undefined ? [] : [[model, { arn: first.arn, target: first.target }] as const],
    );
    return { endpoint, ...described, routes, models: Object.fromEntries(live) };
  }
  const model = models[0];
  const arn = described.config === undefined ? undefined : await packageBehind(site, described.config, releases);
  const live = model === undefined || arn === undefined ? {} : { [model]: { arn } };
  return { endpoint, ...described, routes: undefined, models: live };
}

/**
 * The package behind an endpoint config. Config names are digests of content, so a release of that name in the log says
 * it; a config that was made elsewhere is followed to its model.
 */
async function packageBehind(site: Site, config: string, releases: ReleaseState): Promise<string | undefined> {
  for (const { healthy } of Object.values(releases.models)) {
    const release = healthy.find((entry) => entry.config === config);
    if (release !== undefined) return release.arn;
  }
  if (releases.open?.intent.config === config) return releases.open.intent.moves[0]?.to;
  try {
    const { sagemaker } = site.aws;
    const found = await sagemaker.send(new DescribeEndpointConfigCommand({ EndpointConfigName: config }));
    const name = found.ProductionVariants?.[0]?.ModelName;
    if (name === undefined) return undefined;
    const model = await sagemaker.send(new DescribeModelCommand({ ModelName: name }));
    return (model.PrimaryContainer ?? model.Containers?.[0])?.ModelPackageName;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
