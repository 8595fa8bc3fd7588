import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isMetricName, METRICS, metricsOf, type Task } from '../statistics/metric-names.ts';
import { checkObjective } from './check-objective.ts';
import type { Path } from './document.ts';
import { DEFAULT_REGION } from './environment.ts';
import { resolveImage } from './images.ts';
import type { Problem } from './model.ts';
import { nearest } from './nearest.ts';
import type { ReadModel, ReadProject } from './read-project.ts';
import { resolveSplit, withDefaults } from './resolve.ts';
import { problemAt } from './schema-problems.ts';
import { globBase, isInside } from './tree.ts';

type Report = (path: Path, what: 'key' | 'value', message: string, suggestion?: string) => void;

export async function checkModel(project: ReadProject, model: ReadModel): Promise<Problem[]> {
  const problems: Problem[] = [];
  const report: Report = (path, what, message, suggestion) =>
    problems.push(problemAt(model.document, path, what, message, suggestion));
  checkRequired(project, model, report);
  checkImage(project, model, report);
  checkMetrics(project, model, report);
  checkSplit(model, report);
  checkHyperparameters(project, model, report);
  checkObjective(project.config, model.config, report);
  await checkFiles(project, model, report);
  return problems;
}

function checkRequired(project: ReadProject, { config }: ReadModel, report: Report): void {
  const { train, serve } = withDefaults(project.config, config);
  if (config.task === undefined) report([], 'value', 'task is missing', 'add task: regression or task: binary');
  if (config.data?.files === undefined) {
    report(['data'], 'key', 'data.files is missing', 'name a CSV in the project, or an S3 prefix');
  }
  if (config.data?.target === undefined) {
    report(['data'], 'key', 'data.target is missing', 'name the column to predict');
  }
  if (train?.image === undefined) {
    report(['train'], 'key', 'train.image is missing', 'add image: xgboost:1.7-1');
  }
  const { endpoints } = project.config;
  if (serve?.endpoint !== undefined && !Object.hasOwn(endpoints ?? {}, serve.endpoint) && serve.mode === undefined) {
    const known = Object.keys(endpoints ?? {});
    const meant = nearest(serve.endpoint, known);
    const all = known.length === 0 ? 'the project has no endpoints' : `known: ${known.join(', ')}`;
    const message = `there is no endpoint ${serve.endpoint}`;
    report(['serve', 'endpoint'], 'value', message, meant === undefined ? all : `did you mean ${meant}?`);
  }
}

function checkImage(project: ReadProject, { config }: ReadModel, report: Report): void {
  const { train, serve } = withDefaults(project.config, config);
  const registry = project.config.registry ?? Object.keys(project.config.environments)[0] ?? '';
  const region = project.config.environments[registry]?.region ?? DEFAULT_REGION;
  for (const [path, image] of [
    [['train', 'image'], train?.image],
    [['serve', 'image'], serve?.image],
  ] as const) {
    if (image === undefined) continue;
    const result = resolveImage(image, region);
    if ('problem' in result) report(path, 'value', result.problem, result.suggestion);
    else if (path[0] === 'train' && train?.entry === undefined && !result.algorithm) {
      const message = `${image} has no built-in algorithm that is known`;
      report(path, 'value', message, 'add train.entry: a script that trains');
    }
  }
}

function checkMetric(name: string, task: Task, path: Path, what: 'key' | 'value', report: Report): void {
  const fitting = metricsOf(task);
  if (isMetricName(name)) {
    if (fitting.includes(name)) return;
    const suggestion = `one of ${fitting.join(', ')}`;
    report(path, what, `${METRICS[name].label} (${name}) does not fit a ${task} task`, suggestion);
    return;
  }
  const meant = nearest(name, fitting);
  report(
    path,
    what,
    `unknown metric ${name}`,
    meant === undefined ? `one of ${fitting.join(', ')}` : `did you mean ${meant}?`,
  );
}

function checkMetrics(project: ReadProject, { config }: ReadModel, report: Report): void {
  const { task } = config;
  if (task !== 'regression' && task !== 'binary') return;
  const { gate } = withDefaults(project.config, config);
  if (gate?.primary !== undefined)
    checkMetric(gate.primary.metric, task, ['gate', 'primary', 'metric'], 'value', report);
  if (gate?.primary?.maxRegression !== undefined && gate.primary.minImprovement !== undefined) {
    const message = 'maxRegression and minImprovement contradict each other';
    report(['gate', 'primary', 'maxRegression'], 'key', message, 'keep the one that is the policy');
  }
  for (const name of Object.keys(gate?.floor ?? {})) checkMetric(name, task, ['gate', 'floor', name], 'key', report);
  for (const name of Object.keys(gate?.guardrails ?? {})) {
    checkMetric(name, task, ['gate', 'guardrails', name], 'key', report);
  }
  for (const [i, name] of (config.evaluate?.metrics ?? []).entries()) {
    checkMetric(name, task, ['evaluate', 'metrics', i], 'value', report);
  }
}

function checkSplit({ config }: ReadModel, report: Report): void {
  const split = config.data?.split;
  if (split === undefined) return;
  const at: Path = ['data', 'split'];
  const resolved = resolveSplit(split);
  const sum = resolved.train + resolved.validation + resolved.test;
  if (Math.abs(sum - 1) > 1e-9) {
    report(at, 'key', `the shares add up to ${Number(sum.toFixed(6))}, not to 1`, 'leave one of them out');
  } else if (resolved.train <= 0) report(at, 'key', 'no rows are left to train on', 'make test and validation smaller');
  else if (resolved.test <= 0) report(at, 'key', 'no rows are held out, so nothing can be judged', 'add test: 0.15');
  const group = config.data?.group;
  if (split.stratify === true && (config.task !== 'binary' || resolved.by !== 'random')) {
    report([...at, 'stratify'], 'key', 'only a random split of a binary task is stratified', 'remove it');
  }
  if (split.by === 'time' && split.column === undefined) {
    report(at, 'key', 'split.by: time needs the column that holds the time', 'add column:');
  }
  if (split.by === 'group' && split.column === undefined && group === undefined) {
    report(at, 'key', 'split.by: group needs the column that names the group', 'add column:');
  }
  if (split.by === 'group' && split.column !== undefined && group !== undefined && split.column !== group) {
    report([...at, 'column'], 'value', `differs from data.group (${group})`, 'name the same column in both');
  }
}

/** SageMaker: at most 100 hyperparameters, each value at most 2500 characters. */
function checkHyperparameters(project: ReadProject, { config }: ReadModel, report: Report): void {
  const { train } = withDefaults(project.config, config);
  const entries = Object.entries(train?.hyperparameters ?? {});
  if (entries.length > 100)
    report(['train', 'hyperparameters'], 'key', `${entries.length} hyperparameters; AWS takes 100`);
  for (const [key, value] of entries) {
    const at: Path = ['train', 'hyperparameters', key];
    if (value === null) report(at, 'key', 'the value is empty', 'write a value, or remove the key');
    else if ((typeof value === 'string' ? value : JSON.stringify(value)).length > 2500) {
      report(at, 'value', 'is longer than the 2500 characters that AWS takes');
    }
  }
}

const S3_URI = /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/.*)?$/;

async function checkFiles(project: ReadProject, model: ReadModel, report: Report): Promise<void> {
  const { config } = model;
  const { train } = withDefaults(project.config, config);
  const scripts: [Path, string | undefined][] = [
    [['data', 'prepare'], config.data?.prepare],
    [['train', 'entry'], train?.entry],
    [['evaluate', 'entry'], config.evaluate?.entry],
  ];
  for (const [path, file] of scripts) {
    if (file !== undefined) await checkPath(model.folder, model.folder, path, file, 'file', report);
  }
  const files = config.data?.files;
  if (files?.startsWith('s3:') && !S3_URI.test(files)) {
    report(['data', 'files'], 'value', 'is not an S3 prefix', 'write s3://BUCKET/PREFIX/');
  } else if (files !== undefined && !files.startsWith('s3:')) {
    await checkPath(project.folder, model.folder, ['data', 'files'], files, 'any', report);
  }
  for (const [i, input] of (config.inputs ?? []).entries()) {
    await checkPath(project.folder, model.folder, ['inputs', i], globBase(input), 'any', report);
  }
}

/** A path of the project: it exists, is of the kind that is asked for, and neither it nor a link leaves `within`. */
async function checkPath(
  within: string,
  from: string,
  path: Path,
  written: string,
  kind: 'file' | 'any',
  report: Report,
): Promise<void> {
  const absolute = join(from, written);
  const room = within === from ? "the model's folder" : 'the project';
  if (written.startsWith('/') || !isInside(within, absolute)) {
    report(path, 'value', `${written} lies outside ${room}`, `move it into ${room}`);
    return;
  }
  try {
    const real = await realpath(absolute);
    if (!isInside(await realpath(within), real)) report(path, 'value', `${written} is a link that leaves ${room}`);
    else if (kind === 'file' && !(await stat(real)).isFile()) report(path, 'value', `${written} is not a file`);
  } catch {
    report(path, 'value', `there is no ${written} in ${from === within ? room : "the model's folder"}`);
  }
}
