import type { OnEvent } from '../events.ts';
import { versionOf } from '../names.ts';
import type { ResolvedModel, ResolvedServe } from '../project/model.ts';
import { describeVersion } from '../registry.ts';
import { consideredNow, decide } from '../releases/decide.ts';
import type { Course, Facts } from '../releases/decide.ts';
import { noReleases, releaseLog } from '../releases/releases.ts';
import type { Move, ReleaseState } from '../releases/releases.ts';
import { readDecisions } from '../releases/sync.ts';
import type { Decisions } from '../releases/sync.ts';
import type { Site } from '../site.ts';
import { readLive } from './live.ts';
import type { LiveEndpoint } from './live.ts';
import { multiModelNames } from './multi-model.ts';
import { realtimeNames } from './realtime.ts';

/** Newest versions that are asked for their gate where no approval is needed. */
const PASSED_LOOKS_MAX = 20;

export interface PlanPlace {
  readonly project: string;
  /** The environment released to. */
  readonly site: Site;
  readonly registry: Site;
  readonly onEvent: OnEvent;
  /** False for commands that only read: then what is out of step is answered as if it were cured. */
  readonly repair: boolean;
  /** Only these may move; absent: all. */
  readonly only?: readonly string[];
}

export interface PlannedModel {
  readonly model: string;
  readonly course: Course;
  readonly decisions: Decisions;
  readonly facts: Facts;
}

export interface EndpointPlan {
  readonly serve: ResolvedServe;
  readonly live: LiveEndpoint;
  readonly releases: { readonly state: ReleaseState; readonly sequence: number };
  readonly models: readonly PlannedModel[];
  readonly moves: readonly Move[];
  /** The endpoint config that it should have. */
  readonly config: string;
  /** It has another one, or there is none, although something is to be served. */
  readonly endpointChanges: boolean;
}

/** Reads all there is to know about one endpoint, and says what is to be done. Changes nothing unless `repair`. */
export async function planEndpoint(
  place: PlanPlace,
  serve: ResolvedServe,
  models: readonly ResolvedModel[],
): Promise<EndpointPlan> {
  const { site } = place;
  const tail = await releaseLog(site.objects, site.env.name, serve.endpoint).tail();
  const state = tail.record?.state ?? noReleases;
  const names = models.map((model) => model.name);
  const live = await readLive(site, serve, names, state);
  const planned: PlannedModel[] = [];
  for (const model of models) planned.push(await planModel(place, model, state, live));
  const moves = planned.flatMap((entry) => moveOf(place, entry));
  const config = configOf(place, serve, live, moves, names);
  const serves = moves.length > 0 || Object.keys(live.models).length > 0;
  const endpointChanges = serves && config !== '' && (live.config !== config || live.status !== 'InService');
  return {
    serve,
    live,
    releases: { state, sequence: tail.sequence },
    models: planned,
    moves,
    config,
    endpointChanges,
  };
}

async function planModel(
  place: PlanPlace,
  model: ResolvedModel,
  releases: ReleaseState,
  live: LiveEndpoint,
): Promise<PlannedModel> {
  const { repair, onEvent, registry, site } = place;
  const decisions = await readDecisions(registry, model.name, model.group, { repair, onEvent });
  const facts: Facts = {
    env: site.env.name,
    requires: site.env.requires,
    decisions: decisions.state,
    decisionSequence: decisions.sequence,
    releases: releases.models[model.name],
    live: live.models[model.name]?.arn,
    passed: site.env.requires === 'none' ? await passedVersions(registry, decisions) : [],
  };
  return { model: model.name, course: decide(facts), decisions, facts };
}

async function passedVersions(registry: Site, decisions: Decisions): Promise<{ arn: string; version: number }[]> {
  const passed: { arn: string; version: number }[] = [];
  for (const listed of decisions.versions.slice(0, PASSED_LOOKS_MAX)) {
    const version = await describeVersion(registry, listed.arn);
    if (version?.gate === 'passed') passed.push({ arn: listed.arn, version: listed.version });
  }
  return passed;
}

function moveOf(place: PlanPlace, entry: PlannedModel): Move[] {
  const { course, facts, model } = entry;
  if (course.kind !== 'release') return [];
  if (place.only !== undefined && !place.only.includes(model)) return [];
  return [
    {
      model,
      to: course.arn,
      version: versionOf(course.arn) ?? 0,
      why: course.why,
      considered: consideredNow(facts),
      ...(facts.live === undefined ? {} : { from: facts.live }),
      ...(course.rollback ? { rollback: true } : {}),
    },
  ];
}

function configOf(
  place: PlanPlace,
  serve: ResolvedServe,
  live: LiveEndpoint,
  moves: readonly Move[],
  models: readonly string[],
): string {
  if (serve.mode === 'multi-model') return multiModelNames(place.site, place.project, serve).config;
  const model = models[0] ?? '';
  const arn = moves[0]?.to ?? live.models[model]?.arn;
  if (arn === undefined) return '';
  return realtimeNames(place.site, model, serve, { arn, version: versionOf(arn) ?? 0 }).config;
}
