import { join, posix, relative } from 'node:path';
import { defaultPrimary, isMetricName, metricsOf, type MetricName } from '../statistics/metric-names.ts';
import { environmentOf } from './environment.ts';
import { resolveImage } from './images.ts';
import type {
  ComparisonRule,
  DataFiles,
  Floor,
  GateConfig,
  LoadedModel,
  LoadedProject,
  ModelConfig,
  ProjectConfig,
  ResolvedModel,
  ResolvedServe,
  ResolvedSplit,
} from './model.ts';
import { posixPath } from './tree.ts';

const DEFAULT_INSTANCE = 'ml.m5.large';
const DEFAULT_SHARES = { train: 0.7, validation: 0.15, test: 0.15 };
const DEFAULT_MARGIN = 0.01;
const DEFAULT_CONFIDENCE = 0.95;
const DEFAULT_MIN_ROWS = 500;
const DEFAULT_SEED = 0;
const DEFAULT_TIMEOUT_SECONDS = 3600;
const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;

function seconds(duration: string): number {
  return Number(duration.slice(0, -1)) * SECONDS[duration.at(-1) as keyof typeof SECONDS];
}

/** `2%` is 0.02, and so is 0.02. */
export function ratioOf(written: string | number): number {
  // Division of the decimal text keeps 2% at 0.02, where 2 * 0.01 would not always.
  return typeof written === 'number' ? written : Number(written.slice(0, -1)) / 100;
}

/** A map over a map: what the second says wins, key by key, at every depth. */
export function merged<T>(base: T | undefined, over: T | undefined): T | undefined {
  const isMap = (value: unknown): value is Record<string, unknown> =>
    value !== null && typeof value === 'object' && !Array.isArray(value);
  if (over === undefined) return base;
  if (!isMap(base) || !isMap(over)) return over;
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) result[key] = merged(result[key], value);
  return result as T;
}

/** The sections of a model with the project's `defaults` under them. */
export function withDefaults(project: ProjectConfig, model: ModelConfig) {
  const { defaults } = project;
  return {
    train: merged(defaults?.train, model.train),
    gate: merged(defaults?.gate, model.gate),
    serve: merged(defaults?.serve, model.serve),
  };
}

/** 70/15/15; shares that are given stand, and what is left goes to the others in the proportion of their defaults. */
export function resolveSplit(written: NonNullable<ModelConfig['data']>['split']): ResolvedSplit {
  const shares = { ...DEFAULT_SHARES };
  const given = (['train', 'validation', 'test'] as const).filter((part) => written?.[part] !== undefined);
  const open = (['train', 'validation', 'test'] as const).filter((part) => !given.includes(part));
  const left = 1 - given.reduce((sum, part) => sum + (written?.[part] ?? 0), 0);
  const weight = open.reduce((sum, part) => sum + DEFAULT_SHARES[part], 0);
  for (const part of given) shares[part] = written?.[part] ?? 0;
  for (const part of open) shares[part] = Math.round(((left * DEFAULT_SHARES[part]) / weight) * 1e12) / 1e12;
  return {
    by: written?.by ?? 'random',
    ...(written?.column === undefined ? {} : { column: written.column }),
    ...shares,
    seed: written?.seed ?? DEFAULT_SEED,
  };
}

/** As SageMaker takes hyperparameters: text as it is, everything else as JSON. */
function hyperparameterText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The built-in algorithm reports the objective's metric if that is its `eval_metric`. */
function watched(train: ModelConfig['train']): { eval_metric?: string } {
  const metric = train?.entry === undefined ? /^validation:(.+)$/.exec(train?.objective?.metric ?? '')?.[1] : undefined;
  return metric === undefined ? {} : { eval_metric: metric };
}

function parseFloor(metric: MetricName, written: string): Floor {
  const [, operator, number, percent] = /^(<=|>=|<|>) ?(-?[\d.]+)(%?)$/.exec(written) ?? [];
  const threshold = Number(number) / (percent === '%' ? 100 : 1);
  return { metric, operator: operator as Floor['operator'], threshold };
}

function resolveGate(task: 'regression' | 'binary', written: ModelConfig['gate']): GateConfig {
  const metric = (written?.primary?.metric ?? defaultPrimary(task)) as MetricName;
  const { maxRegression, minImprovement } = written?.primary ?? {};
  const primary: ComparisonRule =
    minImprovement === undefined
      ? { metric, rule: 'non-inferior', margin: ratioOf(maxRegression ?? DEFAULT_MARGIN) }
      : { metric, rule: 'superior', margin: ratioOf(minImprovement) };
  return {
    primary,
    confidence: written?.primary?.confidence ?? DEFAULT_CONFIDENCE,
    floors: Object.entries(written?.floor ?? {}).map(([name, floor]) => parseFloor(name as MetricName, floor)),
    guardrails: Object.entries(written?.guardrails ?? {}).map(([name, guardrail]) => ({
      metric: name as MetricName,
      rule: 'non-inferior' as const,
      margin: ratioOf(guardrail.maxRegression ?? DEFAULT_MARGIN),
    })),
    minRows: written?.minRows ?? DEFAULT_MIN_ROWS,
    onInconclusive: 'hold',
  };
}

function resolveMetrics(task: 'regression' | 'binary', written: readonly string[] | undefined, gate: GateConfig) {
  const asked = written?.filter(isMetricName) ?? metricsOf(task).filter((name) => name !== 'mape');
  const judged = [gate.primary, ...gate.floors, ...gate.guardrails].map(({ metric }) => metric);
  return [...new Set([gate.primary.metric, ...asked, ...judged])];
}

function uriOf(image: string, region: string): string {
  const result = resolveImage(image, region);
  if ('problem' in result) throw new Error(result.problem);
  return result.uri;
}

export function dataFiles(projectFolder: string, folder: string, written: string): DataFiles {
  if (written.startsWith('s3://')) return { kind: 's3', uri: written };
  const absolute = join(folder, written);
  return { kind: 'project', path: posixPath(relative(projectFolder, absolute)), absolute };
}

function resolveServe(
  project: ProjectConfig,
  group: string,
  model: ModelConfig,
  region: string,
): ResolvedServe | undefined {
  const { serve, train } = withDefaults(project, model);
  if (serve === undefined) return undefined;
  const shared = serve.endpoint === undefined ? undefined : project.endpoints?.[serve.endpoint];
  const image = shared?.image ?? serve.image ?? train?.image ?? '';
  return {
    endpoint: shared?.endpoint ?? serve.endpoint ?? group,
    mode: endpointMode(shared ?? serve, shared !== undefined),
    image: uriOf(image, region),
    instance: shared?.instance ?? serve.instance ?? DEFAULT_INSTANCE,
    count: shared?.count ?? serve.count ?? 1,
  };
}

/** An endpoint that stands in `endpoints` is there to be shared; one of a model's own holds that model. */
export function endpointMode(written: { mode?: string | undefined }, shared: boolean): 'multi-model' | 'realtime' {
  if (written.mode === undefined) return shared ? 'multi-model' : 'realtime';
  return written.mode === 'multi-model' ? 'multi-model' : 'realtime';
}

/**
 * A model with every default filled in, for one environment.
 *
 * @param model its name, or as loaded
 * @param environment the registry's, unless told
 * @throws Error for names that the project does not have; what else can be wrong, loading has refused
 */
export function resolveModel(
  project: LoadedProject,
  model: string | LoadedModel,
  environment: string = project.registry,
): ResolvedModel {
  const loaded = typeof model === 'string' ? project.models.find(({ name }) => name === model) : model;
  if (loaded === undefined)
    throw new Error(`The project ${project.name} has no model ${typeof model === 'string' ? model : model.name}.`);
  const { config } = loaded;
  const env = environmentOf(project.config, environment);
  const { train, gate: gateSection } = withDefaults(project.config, config);
  const group = `${project.config.project}-${config.model}`;
  const task = config.task === 'binary' ? 'binary' : 'regression';
  const gate = resolveGate(task, gateSection);
  const serve = resolveServe(project.config, group, config, env.region);
  const { data } = config;
  const dataGroup = data?.group ?? (data?.split?.by === 'group' ? data.split.column : undefined);
  return {
    project: project.config.project,
    name: config.model,
    group,
    task,
    ...(config.owner === undefined ? {} : { owner: config.owner }),
    folder: loaded.folder,
    projectFolder: project.folder,
    environment: env,
    inputs: config.inputs ?? [],
    data: {
      files: dataFiles(project.folder, loaded.folder, data?.files ?? ''),
      target: data?.target ?? '',
      ...(data?.id === undefined ? {} : { id: data.id }),
      ...(dataGroup === undefined ? {} : { group: dataGroup }),
      ...(data?.prepare === undefined ? {} : { prepare: posix.normalize(data.prepare) }),
      split: resolveSplit(data?.split),
    },
    train: {
      image: uriOf(train?.image ?? '', env.region),
      imageName: train?.image ?? '',
      mode: train?.entry === undefined ? 'algorithm' : 'script',
      ...(train?.entry === undefined ? {} : { entry: posix.normalize(train.entry) }),
      instance: train?.instance ?? DEFAULT_INSTANCE,
      hyperparameters: Object.fromEntries(
        Object.entries({ ...watched(train), ...train?.hyperparameters }).map(([key, value]) => [
          key,
          hyperparameterText(value),
        ]),
      ),
      timeoutSeconds: train?.timeout === undefined ? DEFAULT_TIMEOUT_SECONDS : seconds(train.timeout),
    },
    evaluate: {
      ...(config.evaluate?.entry === undefined ? {} : { entry: posix.normalize(config.evaluate.entry) }),
      metrics: resolveMetrics(task, config.evaluate?.metrics, gate),
    },
    gate,
    ...(serve === undefined ? {} : { serve }),
  };
}
