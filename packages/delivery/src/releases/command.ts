import type { DecisionRequest } from '../api.ts';
import { InvalidRequest } from '../errors.ts';
import type { OnEvent } from '../events.ts';
import { keys } from '../names.ts';
import type { ResolvedEnvironment, ResolvedModel } from '../project/model.ts';
import { findVersion, setStatus } from '../registry.ts';
import type { Version } from '../registry.ts';
import type { DecisionResult } from '../results.ts';
import type { Site } from '../site.ts';
import { approvedAt, decisionLog, isRejected } from './decisions.ts';
import type { Decision, DecisionState } from './decisions.ts';
import { readDecisions, recordDecision } from './sync.ts';

/** As ApprovalDescription on the package takes it, and the log. */
const WHY_MAX = 1_000;

export interface DecisionPlace {
  /** The registry's environment. */
  readonly site: Site;
  readonly model: ResolvedModel;
  readonly actor: string;
  /** Those that the decision lets a version into. */
  readonly environments: readonly ResolvedEnvironment[];
  readonly onEvent: OnEvent;
}

/** Records an approval or a rejection, and projects it onto the package. What stands already is left as it is. */
export async function decideVersion(
  place: DecisionPlace,
  kind: 'approve' | 'reject',
  request: DecisionRequest,
): Promise<DecisionResult> {
  const { site, model, actor } = place;
  const why = request.reason?.trim() ?? '';
  if (why.length > WHY_MAX) throw new InvalidRequest(`A reason has at most ${WHY_MAX} characters.`);
  const found = await findVersion(site, model.name, model.group, request.version);
  await readDecisions(site, model.name, model.group, { repair: true, onEvent: place.onEvent });
  const version = await findVersion(site, model.name, model.group, found.arn);
  const override = kind === 'approve' && version.gate !== 'passed';
  const decision: Decision = {
    kind,
    arn: version.arn,
    ...(kind === 'approve' && request.env !== undefined ? { env: request.env } : {}),
    who: actor,
    why,
    evidence: evidenceOf(place, version),
    ...(override ? { override: true } : {}),
    packageModifiedAt: version.modifiedAt,
  };
  const record = await recordDecision(decisionLog(site.objects, model.name), site.aws.time, (state) => {
    if (stands(state, decision, place.environments)) return undefined;
    if (kind === 'approve') refuse(place, request, version);
    return decision;
  });
  if (record !== undefined) {
    const status = kind === 'approve' ? 'Approved' : 'Rejected';
    if (version.status !== status) await setStatus(site, version.arn, status, described(record.sequence, actor, why));
    const detail = `${kind === 'approve' ? 'approved' : 'rejected'} by ${actor}, decision ${record.sequence}`;
    place.onEvent({ type: 'change', subject: version.arn, detail, model: model.name });
  }
  return {
    model: model.name,
    version: version.version,
    arn: version.arn,
    kind,
    changed: record !== undefined,
    ...(record === undefined ? {} : { sequence: record.sequence }),
    who: actor,
    why,
    gate: version.gate === 'unknown' ? 'skipped' : version.gate,
    override,
  };
}

// An approval stands if the newest course is this version's: approving it again after a rollback, or after another
// version was approved, is a new decision.
function stands(state: DecisionState, decision: Decision, environments: readonly ResolvedEnvironment[]): boolean {
  if (decision.kind === 'reject') return isRejected(state, decision.arn);
  const { course } = state;
  if (course?.kind !== 'approve' || course.arn !== decision.arn) return false;
  if (decision.env === undefined && course.env !== undefined) return false;
  return environments.every((env) => approvedAt(state, decision.arn, env.name) !== undefined);
}

/** @throws InvalidRequest when this person may not let this version in, or not without more words */
function refuse(place: DecisionPlace, request: DecisionRequest, version: Version): void {
  const { actor, model } = place;
  const naming = place.environments.filter((env) => env.approvers.length > 0);
  for (const env of naming) {
    if (version.createdBy === actor) {
      const registered = `${actor} registered ${model.name} v${version.version}`;
      throw new InvalidRequest(
        `${registered}, and ${env.name} names approvers: someone else approves it.`,
        `Ask one of ${env.approvers.join(', ')}.`,
      );
    }
    // Whether someone belongs to a team cannot be asked here; names can be compared.
    const people = env.approvers.filter((name) => !name.startsWith('team:'));
    if (people.length === env.approvers.length && !people.includes(actor)) {
      throw new InvalidRequest(`${actor} is not among the approvers of ${env.name}: ${people.join(', ')}.`);
    }
  }
  if (version.gate === 'passed') return;
  if (request.override !== true) {
    throw new InvalidRequest(
      `The gate of ${model.name} v${version.version} says ${version.gate}, not passed.`,
      `To approve it all the same: slipway approve ${model.name} ${version.version} --override --reason "why"`,
    );
  }
  if ((request.reason?.trim() ?? '') === '') {
    throw new InvalidRequest('An override needs a reason, which is kept with the decision.', 'Add --reason "why".');
  }
}

function evidenceOf(place: DecisionPlace, version: Version): NonNullable<Decision['evidence']> {
  const run = version.runId;
  if (run === undefined) return { gate: version.gate };
  const key = `${keys.run(place.model.name, run)}/evaluation/report.json`;
  return { gate: version.gate, report: place.site.objects.uri(key) };
}

function described(sequence: number, who: string, why: string): string {
  return `Decision ${sequence} by ${who}${why === '' ? '' : `: ${why}`}`;
}
