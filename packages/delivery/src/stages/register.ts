import { digestOf, short } from '../digest.ts';
import type { GateReport } from '../gates/gate.ts';
import { metadataValue, versionOf } from '../names.ts';
import type { ResolvedModel } from '../project/model.ts';
import { createVersion, describeVersion, ensureGroup, listVersions } from '../registry.ts';
import type { VersionRef } from '../results.ts';
import type { Site } from '../site.ts';
import { ownTags } from './prepare.ts';

/** How many of the newest versions are asked whether they are this run's: only one run's crash lies between. */
const LOOK_BACK = 20;
/** Metadata takes 50 entries; this many of them are metrics. */
const METRICS_MAX = 12;

export interface Registration {
  readonly runId: string;
  readonly artifact: string;
  readonly evaluationUri: string;
  readonly report: GateReport;
  readonly actor: string;
  readonly championArn: string | undefined;
  readonly sourceDigest: string;
  readonly dataDigest: string;
  readonly trainingJob: string;
}

/** The version that an earlier, interrupted run registered for this run, or a new one that waits for approval. */
export async function register(
  site: Site,
  model: ResolvedModel,
  registration: Registration,
): Promise<VersionRef & { readonly made: boolean }> {
  await ensureGroup(site, model.group, ownTags(model));
  const found = await ofRun(site, model.group, registration.runId);
  if (found.version !== undefined) return { ...found.version, made: false };
  try {
    const arn = await createVersion(site, request(model, registration, found.newest));
    return { arn, version: versionOf(arn) ?? 0, made: true };
  } catch (error) {
    // Someone else ran the same in this moment: the token lets one version through, and that is this run's.
    const now = await ofRun(site, model.group, registration.runId);
    if (now.version === undefined) throw error;
    return { ...now.version, made: false };
  }
}

/** The version of a run among the newest ones, and the newest version's number. */
async function ofRun(
  site: Site,
  group: string,
  runId: string,
): Promise<{ readonly version: VersionRef | undefined; readonly newest: number }> {
  const versions = await listVersions(site, group, LOOK_BACK);
  const newest = versions[0]?.version ?? 0;
  for (const { arn, version } of versions) {
    if ((await describeVersion(site, arn))?.runId === runId) return { version: { arn, version }, newest };
  }
  return { version: undefined, newest };
}

function request(model: ResolvedModel, registration: Registration, newestVersion: number) {
  const algorithm = model.train.mode === 'algorithm' || model.train.imageName.startsWith('xgboost');
  const types = algorithm ? ['text/csv', 'text/libsvm'] : ['text/csv', 'application/json'];
  return {
    ModelPackageGroupName: model.group,
    ModelPackageDescription: `${model.name}, run ${registration.runId}`,
    // The token makes a repeated request of this run one version; a version deleted by hand can be registered again.
    ClientToken: `${registration.runId}-${short(digestOf([model.group, newestVersion]))}`,
    ModelApprovalStatus: 'PendingManualApproval' as const,
    InferenceSpecification: {
      Containers: [{ Image: model.serve?.image ?? model.train.image, ModelDataUrl: registration.artifact }],
      SupportedContentTypes: types,
      SupportedResponseMIMETypes: ['text/csv', 'application/json'],
    },
    ModelMetrics: {
      ModelQuality: { Statistics: { ContentType: 'application/json', S3Uri: registration.evaluationUri } },
    },
    CustomerMetadataProperties: metadata(registration),
  };
}

function metadata(registration: Registration): Record<string, string> {
  const { report } = registration;
  const entries: [string, string | undefined][] = [
    ['delivery:run', registration.runId],
    ['delivery:source', registration.sourceDigest],
    ['delivery:data', registration.dataDigest],
    ['delivery:training', registration.trainingJob],
    ['delivery:gate', report.outcome],
    ['delivery:champion', registration.championArn],
    ['delivery:actor', registration.actor],
  ];
  for (const estimate of report.metrics.slice(0, METRICS_MAX)) {
    if (estimate.value !== undefined)
      entries.push([`m:${estimate.metric}`, Number(estimate.value.toPrecision(6)).toString()]);
  }
  return Object.fromEntries(
    entries.flatMap(([key, value]) => (value === undefined || value === '' ? [] : [[key, metadataValue(value)]])),
  );
}
