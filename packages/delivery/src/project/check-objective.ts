import type { Path } from './document.ts';
import type { ModelConfig, ProjectConfig } from './model.ts';
import { nearest } from './nearest.ts';
import { resolveSplit, withDefaults } from './resolve.ts';

/** Which way each metric of XGBoost gets better, as its documentation lists them. */
const GOALS: Readonly<Record<string, 'minimize' | 'maximize'>> = {
  rmse: 'minimize',
  rmsle: 'minimize',
  mae: 'minimize',
  mape: 'minimize',
  mphe: 'minimize',
  logloss: 'minimize',
  error: 'minimize',
  auc: 'maximize',
  aucpr: 'maximize',
};

type Report = (path: Path, what: 'key' | 'value', message: string, suggestion?: string) => void;

/**
 * The built-in algorithm reports `validation:<metric>` for each of its `eval_metric`s, so the objective names one of
 * those. A script prints what it likes: its objective needs `regex`, which nothing reads yet.
 */
export function checkObjective(project: ProjectConfig, config: ModelConfig, report: Report): void {
  const { train } = withDefaults(project, config);
  const objective = train?.objective;
  if (objective === undefined) return;
  const at: Path = ['train', 'objective'];
  if (train?.entry !== undefined) {
    const message = 'is understood, but nothing acts on it yet for a script';
    report(at, 'key', message, 'remove it; the script chooses its metric, and the gate judges on held-out rows');
    return;
  }
  const metric = /^validation:(.+)$/.exec(objective.metric)?.[1];
  const goal = metric === undefined || !Object.hasOwn(GOALS, metric) ? undefined : GOALS[metric];
  if (metric === undefined || goal === undefined) {
    const known = Object.keys(GOALS).map((name) => `validation:${name}`);
    const meant = nearest(objective.metric, known);
    const message = `the built-in algorithm reports no ${objective.metric}`;
    const suggestion = meant === undefined ? `one of ${known.join(', ')}` : `did you mean ${meant}?`;
    report([...at, 'metric'], 'value', message, suggestion);
    return;
  }
  if (objective.goal !== goal) {
    report([...at, 'goal'], 'value', `${objective.metric} gets better as you ${goal} it`, `write goal: ${goal}`);
  }
  const own = train?.hyperparameters?.['eval_metric'];
  if (typeof own === 'string' && !own.split(',').some((name) => name.trim() === metric)) {
    const message = `eval_metric is ${own}, so ${objective.metric} would not be reported`;
    report([...at, 'metric'], 'value', message, 'remove eval_metric, or name the same metric in both');
  }
  if (config.data?.split !== undefined && resolveSplit(config.data.split).validation <= 0) {
    const message = `no rows are kept for validation, so ${objective.metric} would not be reported`;
    report([...at, 'metric'], 'value', message, 'add validation: 0.15 to data.split, or remove the objective');
  }
}
