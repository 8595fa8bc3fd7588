import type { ResolvedModel } from '../project/model.ts';
import { describeVersion } from '../registry.ts';
import type { Version } from '../registry.ts';
import { readDecisions } from '../releases/sync.ts';
import type { Decisions } from '../releases/sync.ts';
import type { EnvironmentStatus, ModelStatus, VersionRef, VersionStatus } from '../results.ts';
import type { Site } from '../site.ts';
import { refOf } from './apply.ts';
import type { EndpointPlan } from './plan.ts';

/** Newest versions that are described in full. */
const VERSIONS_SHOWN_MAX = 20;

/** One model's versions and where it serves. Reads only. */
export async function modelStatus(
  registry: Site,
  model: ResolvedModel,
  plans: readonly { readonly site: Site; readonly plan: EndpointPlan }[],
): Promise<ModelStatus> {
  const quiet = { repair: false, onEvent: () => undefined };
  const decisions = await readDecisions(registry, model.name, model.group, quiet);
  const versions: VersionStatus[] = [];
  for (const listed of decisions.versions.slice(0, VERSIONS_SHOWN_MAX)) {
    const version = await describeVersion(registry, listed.arn);
    if (version !== undefined) versions.push(versionStatus(version, decisions));
  }
  const approved = newestApproved(decisions);
  return {
    model: model.name,
    group: model.group,
    ...(versions[0] === undefined ? {} : { newest: versions[0] }),
    ...(approved === undefined ? {} : { approved }),
    versions,
    environments: plans.map(({ site, plan }) => environmentStatus(site, plan, model.name)),
  };
}

function versionStatus(version: Version, decisions: Decisions): VersionStatus {
  const standing = decisions.state.versions[version.arn];
  const metrics = Object.entries(version.metadata).flatMap(([key, value]) =>
    key.startsWith('m:') ? [[key.slice(2), value] as const] : [],
  );
  return {
    arn: version.arn,
    version: version.version,
    gate: version.gate,
    approval: standing?.verdict ?? 'pending',
    ...(version.createdAt === undefined ? {} : { createdAt: version.createdAt }),
    metrics: Object.fromEntries(metrics),
  };
}

/** The version approved last, of those that still are. */
function newestApproved(decisions: Decisions): VersionRef | undefined {
  const approved = Object.values(decisions.state.versions).filter((standing) => standing.verdict === 'approved');
  const newest = approved.toSorted((a, b) => b.decided - a.decided)[0];
  return newest === undefined ? undefined : refOf(newest.arn);
}

function environmentStatus(site: Site, plan: EndpointPlan, model: string): EnvironmentStatus {
  const live = plan.live.models[model];
  const course = plan.models.find((entry) => entry.model === model)?.course;
  return {
    env: site.env.name,
    endpoint: plan.serve.endpoint,
    health: plan.live.status,
    ...(plan.live.config === undefined ? {} : { config: plan.live.config }),
    ...(live === undefined ? {} : { live: refOf(live.arn) }),
    ...(live?.target === undefined ? {} : { target: live.target }),
    next: nextOf(course),
  };
}

function nextOf(course: EndpointPlan['models'][number]['course'] | undefined): EnvironmentStatus['next'] {
  if (course === undefined) return { state: 'none', reason: '' };
  if (course.kind === 'release') return { state: 'release', to: refOf(course.arn), reason: course.why };
  return { state: course.kind === 'hold' ? 'none' : course.kind, reason: course.why };
}
