import type { RollbackRequest } from '../api.ts';
import { InvalidRequest } from '../errors.ts';
import { versionOf } from '../names.ts';
import type { ResolvedModel, ResolvedServe } from '../project/model.ts';
import { lastStanding } from '../releases/decide.ts';
import { decisionLog, isRejected, shown } from '../releases/decisions.ts';
import { recordDecision } from '../releases/sync.ts';
import type { RollbackResult } from '../results.ts';
import { applyEndpoint, refOf } from './apply.ts';
import type { ApplyPlace } from './apply.ts';
import { planEndpoint } from './plan.ts';
import type { PlannedModel } from './plan.ts';

/** Records that an environment goes back, then releases the earlier version like every other. */
export async function rollBack(
  place: ApplyPlace,
  serve: ResolvedServe,
  models: readonly ResolvedModel[],
  request: RollbackRequest,
): Promise<RollbackResult> {
  const only = { ...place, only: [request.model] };
  const plan = await planEndpoint(only, serve, models);
  const planned = plan.models.find((entry) => entry.model === request.model);
  const live = plan.live.models[request.model]?.arn;
  if (planned === undefined || live === undefined) {
    throw new InvalidRequest(
      `${request.model} serves nowhere in ${request.env}, so there is nothing to roll back.`,
      `slipway status ${request.model} --env ${request.env}`,
    );
  }
  const to = pendingTarget(planned, live, request) ?? chosenTarget(planned, live, request);
  const log = decisionLog(place.registry.objects, request.model);
  const record = await recordDecision(log, place.registry.aws.time, (state) => {
    const newest = state.rollbacks[request.env];
    // The command was killed between its record and its release: the record stands, the release is finished.
    const unfinished = newest?.to === to && newest.from === live && newest.sequence === planned.decisions.sequence;
    if (unfinished && planned.course.kind === 'release') return undefined;
    const why = request.reason?.trim() || `rolled back to ${shown(to)}`;
    return { kind: 'rollback', arn: to, env: request.env, from: live, who: place.actor, why };
  });
  if (record !== undefined) {
    const detail = `rollback to ${shown(to)} by ${place.actor}, decision ${record.sequence}`;
    place.onEvent({ type: 'change', subject: to, detail, model: request.model });
  }
  const applied = await applyEndpoint(only, serve, models);
  return {
    env: request.env,
    model: request.model,
    endpoint: serve.endpoint,
    from: refOf(live),
    to: refOf(to),
    changed: applied.endpoint.changed,
    ...(applied.endpoint.sequence === undefined ? {} : { sequence: applied.endpoint.sequence }),
  };
}

/** The target of a rollback that was recorded and not yet released, if this request means the same one. */
function pendingTarget(planned: PlannedModel, live: string, request: RollbackRequest): string | undefined {
  const newest = planned.facts.decisions.rollbacks[request.env];
  const pending = newest !== undefined && newest.sequence > (planned.facts.releases?.considered.decision ?? 0);
  if (!pending || newest.from !== live) return undefined;
  return request.to === undefined || names(request.to, newest.to) ? newest.to : undefined;
}

function chosenTarget(planned: PlannedModel, live: string, request: RollbackRequest): string {
  const healthy = planned.facts.releases?.healthy ?? [];
  const status = `slipway status ${request.model} --env ${request.env}`;
  if (request.to === undefined) {
    const to = lastStanding(planned.facts, live);
    if (to !== undefined) return to;
    throw new InvalidRequest(
      `${request.model} has no earlier healthy version in ${request.env} that still stands; ${shown(live)} goes on.`,
      `Approve another version: ${status}`,
    );
  }
  const wanted = request.to;
  const release = healthy.find((entry) => names(wanted, entry.arn));
  if (release === undefined) {
    const earlier = [...new Set(healthy.map((entry) => `v${entry.version}`))].join(', ') || 'none';
    throw new InvalidRequest(
      `${request.model} ${wanted} has not served in ${request.env}; those that have: ${earlier}.`,
      `To release a version for the first time, approve it and run: slipway apply --env ${request.env}`,
    );
  }
  if (release.arn === live) throw new InvalidRequest(`${request.model} ${shown(live)} serves already.`, status);
  if (isRejected(planned.facts.decisions, release.arn)) {
    throw new InvalidRequest(
      `${request.model} ${shown(release.arn)} is rejected.`,
      `To use it all the same: slipway approve ${request.model} ${release.version}`,
    );
  }
  return release.arn;
}

function names(wanted: string, arn: string): boolean {
  return wanted === arn || /^v?(\d+)$/.exec(wanted)?.[1] === String(versionOf(arn));
}
