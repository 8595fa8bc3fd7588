import { ConcurrentChange, DeliveryError, Interrupted, LeaseHeld, RolledBack } from '../errors.ts';
import type { OnEvent } from '../events.ts';
import { keys, versionOf } from '../names.ts';
import type { ResolvedModel, ResolvedServe } from '../project/model.ts';
import { Lease, type LeaseHolder } from '../releases/lease.ts';
import { foldRelease, noReleases, releaseLog } from '../releases/releases.ts';
import type { Intent, Outcome, ReleaseRecord } from '../releases/releases.ts';
import type { EndpointRelease, ModelRelease, VersionRef } from '../results.ts';
import { ensureBucket } from '../site.ts';
import { canonical } from '../digest.ts';
import { settle } from './endpoint.ts';
import type { Hands } from './endpoint.ts';
import { releaseMultiModel } from './multi-model.ts';
import { planEndpoint } from './plan.ts';
import type { EndpointPlan, PlanPlace } from './plan.ts';
import { releaseRealtime } from './realtime.ts';

/** Changes that lie between planning and taking the lease are planned again, at most this often. */
const ROUNDS_MAX = 5;

export interface ApplyPlace extends PlanPlace {
  readonly project: string;
  readonly actor: string;
  readonly holder: LeaseHolder;
  readonly onEvent: OnEvent;
  readonly signal: AbortSignal | undefined;
}

export interface EndpointApplied {
  readonly endpoint: EndpointRelease;
  readonly models: readonly ModelRelease[];
}

/**
 * Brings one endpoint to what was decided. Nothing to do: nothing is changed, not even a lease. Otherwise, under the
 * lease: an intent in the log, the changes, a look at what is live, the outcome in the log.
 *
 * @throws RolledBack, EndpointFailed, LeaseHeld, ConcurrentChange, Interrupted
 */
export async function applyEndpoint(
  place: ApplyPlace,
  serve: ResolvedServe,
  models: readonly ResolvedModel[],
): Promise<EndpointApplied> {
  const first = await planEndpoint(place, serve, models);
  if (isIdle(first)) return answer(first, false, undefined);
  const { site } = place;
  await ensureBucket(site, place.onEvent);
  const lease = await Lease.take(
    {
      objects: site.objects,
      time: site.aws.time,
      key: keys.lease(site.env.name, serve.endpoint),
      endpoint: serve.endpoint,
    },
    place.holder,
  );
  try {
    const hands: Hands = { site, project: place.project, lease, onEvent: place.onEvent, signal: place.signal };
    await settle(hands, serve.endpoint);
    let sequence: number | undefined;
    let plan = first;
    const moved = new Map<string, { from?: string; reason: string }>();
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      plan = await planEndpoint(place, serve, models);
      if (isIdle(plan)) return answer(plan, sequence !== undefined, sequence, moved);
      if (await endOpenIntent(place, plan)) continue;
      sequence = await carryOut(place, hands, plan);
      for (const move of plan.moves) {
        moved.set(move.model, { reason: move.why, ...(move.from === undefined ? {} : { from: move.from }) });
      }
    }
    throw new ConcurrentChange(`The decisions on ${serve.endpoint} keep changing.`, 'Run the command again.');
  } finally {
    await lease.release().catch(() => undefined);
  }
}

function isIdle(plan: EndpointPlan): boolean {
  return plan.moves.length === 0 && !plan.endpointChanges && plan.releases.state.open === undefined;
}

/** One release from intent to outcome. @returns the intent's sequence */
async function carryOut(place: ApplyPlace, hands: Hands, plan: EndpointPlan): Promise<number> {
  const { site } = place;
  const intent: Intent = { kind: 'intent', moves: plan.moves, config: plan.config, who: place.actor };
  const { open } = plan.releases.state;
  // The same intent of a command that was killed is carried on with; its log already says what is being done.
  const sequence = open?.sequence ?? (await append(place, plan.serve.endpoint, intent));
  try {
    await change(place, hands, plan, sequence);
  } catch (error) {
    // Broken off or overtaken: the intent stays open, and whoever comes next finishes or supersedes it.
    if (error instanceof Interrupted || error instanceof LeaseHeld || error instanceof ConcurrentChange) throw error;
    if (!(error instanceof DeliveryError)) throw error;
    const outcome = error instanceof RolledBack ? 'taken-back' : 'failed';
    await close(place, plan.serve.endpoint, { intent: sequence, outcome, detail: error.message });
    throw error;
  }
  await close(place, plan.serve.endpoint, { intent: sequence, outcome: 'healthy', detail: plan.config });
  const detail = `release ${sequence} of ${site.env.name} is live`;
  place.onEvent({ type: 'change', subject: plan.serve.endpoint, detail });
  return sequence;
}

async function change(place: ApplyPlace, hands: Hands, plan: EndpointPlan, sequence: number): Promise<void> {
  const { registry } = place;
  const { serve, live, moves } = plan;
  if (serve.mode === 'multi-model') {
    await releaseMultiModel(hands, registry, serve, live, moves, sequence);
    return;
  }
  // Without a move it is the endpoint that changes (another instance type), around the version that serves.
  const model = plan.models[0]?.model ?? '';
  const to = moves[0]?.to ?? live.models[model]?.arn;
  if (to !== undefined) await releaseRealtime(hands, registry, serve, { model, to, version: versionOf(to) ?? 0 });
}

/**
 * Ends the open intent of a command that was killed, unless this plan wants the same and goes on with it.
 *
 * @returns true if it was ended; what is to be done then has to be planned again
 */
async function endOpenIntent(place: ApplyPlace, plan: EndpointPlan): Promise<boolean> {
  const { open } = plan.releases.state;
  if (open === undefined) return false;
  const { endpoint } = plan.serve;
  if (alreadyLive(plan, open.intent)) {
    // Killed after its last change and before its outcome: what it wanted serves.
    await close(place, endpoint, { intent: open.sequence, outcome: 'healthy', detail: 'found live' });
    return true;
  }
  if (wants(open.intent) === wants({ moves: plan.moves, config: plan.config })) return false;
  const detail = 'a later command went another way';
  await close(place, endpoint, { intent: open.sequence, outcome: 'superseded', detail });
  return true;
}

function wants(intent: Pick<Intent, 'moves' | 'config'>): string {
  return canonical({ config: intent.config, moves: intent.moves.map(({ model, to }) => [model, to]).toSorted() });
}

function alreadyLive(plan: EndpointPlan, intent: Intent): boolean {
  return (
    plan.live.config === intent.config &&
    plan.live.status === 'InService' &&
    intent.moves.every((move) => plan.live.models[move.model]?.arn === move.to)
  );
}

function close(place: ApplyPlace, endpoint: string, outcome: Omit<Outcome, 'kind' | 'who'>): Promise<number> {
  return append(place, endpoint, { kind: 'outcome', who: place.actor, ...outcome });
}

async function append(place: ApplyPlace, endpoint: string, entry: Intent | Outcome): Promise<number> {
  const { site } = place;
  const record = await releaseLog(site.objects, site.env.name, endpoint).extend((tail): ReleaseRecord | undefined => {
    const before = tail.record?.state ?? noReleases;
    const closed = entry.kind === 'outcome' && before.open?.sequence !== entry.intent;
    if (closed) return undefined;
    const sequence = tail.sequence + 1;
    const at = site.aws.time.iso();
    return { schemaVersion: '1', sequence, at, entry, state: foldRelease(before, entry, sequence, at) };
  });
  return record?.sequence ?? (entry.kind === 'outcome' ? entry.intent : 0);
}

function answer(
  plan: EndpointPlan,
  changed: boolean,
  sequence: number | undefined,
  moved: ReadonlyMap<string, { from?: string; reason: string }> = new Map(),
): EndpointApplied {
  const models = plan.models.map(({ model, course }): ModelRelease => {
    const live = plan.live.models[model];
    const change = moved.get(model);
    const common = {
      model,
      endpoint: plan.serve.endpoint,
      ...(live === undefined ? {} : { live: refOf(live.arn) }),
      ...(live?.target === undefined ? {} : { target: live.target }),
    };
    if (change !== undefined) {
      const from = change.from === undefined ? {} : { from: refOf(change.from) };
      return { ...common, ...from, state: 'released', reason: change.reason };
    }
    const state = course.kind === 'waiting' ? 'waiting' : course.kind === 'blocked' ? 'blocked' : 'unchanged';
    return { ...common, state, reason: course.why };
  });
  const endpoint = {
    endpoint: plan.serve.endpoint,
    config: plan.live.config ?? plan.config,
    changed,
    ...(sequence === undefined ? {} : { sequence }),
  };
  return { endpoint, models };
}

export function refOf(arn: string): VersionRef {
  return { arn, version: versionOf(arn) ?? 0 };
}
