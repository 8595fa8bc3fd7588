import { randomUUID } from 'node:crypto';
import type { Delivery, DeliveryOptions, DecisionRequest, InvokeRequest, RollbackRequest } from './api.ts';
import { InvalidRequest } from './errors.ts';
import type { OnEvent } from './events.ts';
import { resolve } from 'node:path';
import { resolveEnvironment } from './project/environment.ts';
import { nearest } from './project/nearest.ts';
import type { LoadedModel, ResolvedModel, ResolvedServe } from './project/model.ts';
import { resolveModel } from './project/resolve.ts';
import { describeVersion } from './registry.ts';
import { applyEndpoint } from './release/apply.ts';
import type { ApplyPlace, EndpointApplied } from './release/apply.ts';
import { invokeModel } from './release/invoke.ts';
import { readLive } from './release/live.ts';
import { planEndpoint } from './release/plan.ts';
import type { EndpointPlan } from './release/plan.ts';
import { rollBack } from './release/rollback.ts';
import { modelStatus } from './release/status.ts';
import { decideVersion } from './releases/command.ts';
import { noReleases, releaseLog } from './releases/releases.ts';
import type {
  ApplyResult,
  DecisionResult,
  InvokeResult,
  RollbackResult,
  StatusResult,
  TrainResult,
} from './results.ts';
import { Sites } from './site.ts';
import type { Site } from './site.ts';
import type { ChampionModel } from './stages/evaluate.ts';
import { runModel } from './stages/run.ts';

/** The commands on one project. Holds nothing but open connections: every fact is asked for again. */
export function createDelivery(options: DeliveryOptions): Delivery {
  return new ProjectDelivery(options);
}

interface ServedEndpoint {
  readonly serve: ResolvedServe;
  readonly models: readonly ResolvedModel[];
}

class ProjectDelivery implements Delivery {
  readonly #options: DeliveryOptions;
  readonly #sites: Sites;
  readonly #onEvent: OnEvent;
  readonly #process: NonNullable<DeliveryOptions['process']>;
  readonly #tokens = new Set<string>();

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#process = options.process ?? { process: randomUUID(), isGone: () => false };
    this.#onEvent = options.onEvent ?? (() => undefined);
    const resolveEnv = (name: string) => resolveEnvironment(options.project, this.#environment(name));
    this.#sites = new Sites(options.project.config.project, resolveEnv, options.connect, this.#onEvent);
  }

  async train(model: string): Promise<TrainResult> {
    const loaded = this.#loaded(model);
    const resolved = this.#resolve(loaded, this.#registry);
    const site = await this.#sites.open(this.#registry);
    return runModel({
      site,
      model: resolved,
      modelFile: resolve(this.#options.project.folder, loaded.file),
      actor: this.#actor(site),
      onEvent: this.#onEvent,
      signal: this.#options.signal,
      champion: () => this.#champion(site, resolved),
    });
  }

  approve(request: DecisionRequest): Promise<DecisionResult> {
    return this.#decide('approve', request);
  }

  reject(request: DecisionRequest): Promise<DecisionResult> {
    return this.#decide('reject', request);
  }

  async apply(request: { readonly env: string; readonly models?: readonly string[] }): Promise<ApplyResult> {
    for (const model of request.models ?? []) this.#loaded(model);
    const env = this.#environment(request.env);
    const place = await this.#place(env, request.models);
    const applied: EndpointApplied[] = [];
    for (const { serve, models } of this.#endpoints(env, request.models)) {
      applied.push(await applyEndpoint(place, serve, models));
    }
    const { models } = request;
    return {
      env,
      models: applied
        .flatMap((entry) => entry.models)
        .filter((entry) => models === undefined || models.includes(entry.model)),
      endpoints: applied.map((entry) => entry.endpoint),
      changed: applied.some((entry) => entry.endpoint.changed),
    };
  }

  async rollback(request: RollbackRequest): Promise<RollbackResult> {
    const env = this.#environment(request.env);
    const { serve, models } = this.#served(request.model, env);
    const place = await this.#place(env, [request.model]);
    return rollBack(place, serve, models, request);
  }

  async status(request: { readonly models?: readonly string[]; readonly env?: string } = {}): Promise<StatusResult> {
    const { project } = this.#options;
    const environments = request.env === undefined ? this.#environments() : [this.#environment(request.env)];
    const wanted = request.models?.map((name) => this.#loaded(name)) ?? project.models;
    const registry = await this.#sites.open(this.#registry);
    const plans: { site: Site; plan: EndpointPlan }[] = [];
    for (const env of environments) {
      const place = { ...(await this.#place(env, undefined)), repair: false };
      const names = wanted.map((model) => model.name);
      for (const { serve, models } of this.#endpoints(env, names)) {
        plans.push({ site: place.site, plan: await planEndpoint(place, serve, models) });
      }
    }
    const models = [];
    for (const loaded of wanted) {
      const own = plans.filter(({ plan }) => plan.models.some((entry) => entry.model === loaded.name));
      models.push(await modelStatus(registry, this.#resolve(loaded, this.#registry), own));
    }
    return { project: project.config.project, models };
  }

  async invoke(request: InvokeRequest): Promise<InvokeResult> {
    const env = this.#environment(request.env ?? this.#registry);
    const { serve } = this.#served(request.model, env);
    return invokeModel(await this.#sites.open(env), serve, request);
  }

  async target(env: string): Promise<string> {
    return (await this.#sites.open(this.#environment(env))).target;
  }

  close(): void {
    void this.#sites.close();
  }

  get #registry(): string {
    return this.#options.project.registry;
  }

  async #decide(kind: 'approve' | 'reject', request: DecisionRequest): Promise<DecisionResult> {
    const model = this.#resolve(this.#loaded(request.model), this.#registry);
    const named = request.env === undefined ? this.#environments() : [this.#environment(request.env)];
    const environments = named.map((name) => resolveEnvironment(this.#options.project, name));
    const site = await this.#sites.open(this.#registry);
    const place = { site, model, actor: this.#actor(site), environments, onEvent: this.#onEvent };
    return decideVersion(place, kind, request);
  }

  async #place(env: string, only: readonly string[] | undefined): Promise<ApplyPlace> {
    const registry = await this.#sites.open(this.#registry);
    const site = await this.#sites.open(env);
    return {
      project: this.#options.project.config.project,
      site,
      registry,
      actor: this.#actor(site),
      holder: { ...this.#process, name: this.#actor(site), tokens: this.#tokens },
      onEvent: this.#onEvent,
      signal: this.#options.signal,
      repair: true,
      ...(only === undefined ? {} : { only }),
    };
  }

  async #champion(site: Site, model: ResolvedModel): Promise<ChampionModel | undefined> {
    if (model.serve === undefined) return undefined;
    const tail = await releaseLog(site.objects, site.env.name, model.serve.endpoint).tail();
    const live = await readLive(site, model.serve, [model.name], tail.record?.state ?? noReleases);
    const arn = live.models[model.name]?.arn;
    if (arn === undefined) return undefined;
    const version = await describeVersion(site, arn);
    return version === undefined ? undefined : { arn, version: version.version, artifact: version.artifact };
  }

  #actor(site: Site): string {
    return this.#options.actor ?? site.caller;
  }

  /** The endpoints of an environment, each with all its models; only those that serve one of `named`, if given. */
  #endpoints(env: string, named: readonly string[] | undefined): ServedEndpoint[] {
    const byName = new Map<string, { serve: ResolvedServe; models: ResolvedModel[] }>();
    for (const loaded of this.#options.project.models) {
      const model = this.#resolve(loaded, env);
      if (model.serve === undefined) continue;
      const known = byName.get(model.serve.endpoint);
      if (known === undefined) byName.set(model.serve.endpoint, { serve: model.serve, models: [model] });
      else known.models.push(model);
    }
    const all = [...byName.values()];
    if (named === undefined) return all;
    return all.filter(({ models }) => models.some((model) => named.includes(model.name)));
  }

  #served(name: string, env: string): ServedEndpoint {
    this.#loaded(name);
    const [found] = this.#endpoints(env, [name]);
    if (found !== undefined) return found;
    const hint = 'Add `serve: { endpoint: … }`.';
    throw new InvalidRequest(`${name} is served nowhere: its file has no \`serve\`.`, hint);
  }

  #resolve(loaded: LoadedModel, env: string): ResolvedModel {
    return resolveModel(this.#options.project, loaded, env);
  }

  #loaded(name: string): LoadedModel {
    const { models } = this.#options.project;
    const found = models.find((model) => model.name === name);
    if (found !== undefined) return found;
    throw unknown(
      'model',
      name,
      models.map((model) => model.name),
    );
  }

  #environments(): string[] {
    return Object.keys(this.#options.project.config.environments);
  }

  #environment(name: string): string {
    if (this.#environments().includes(name)) return name;
    throw unknown('environment', name, this.#environments());
  }
}

function unknown(kind: string, name: string, known: readonly string[]): InvalidRequest {
  const close = nearest(name, known);
  const hint = close === undefined ? `There are: ${known.join(', ') || 'none'}.` : `Did you mean ${close}?`;
  return new InvalidRequest(`The project has no ${kind} ${name}.`, hint);
}
