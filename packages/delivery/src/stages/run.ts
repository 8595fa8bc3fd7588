import { digestOf, short } from '../digest.ts';
import type { OnEvent, StageName } from '../events.ts';
import type { GateReport } from '../gates/gate.ts';
import { judge } from '../gates/judge.ts';
import { renderReport } from '../gates/report.ts';
import { canonical } from '../digest.ts';
import { keys } from '../names.ts';
import type { ResolvedModel } from '../project/model.ts';
import { describeVersion } from '../registry.ts';
import type { JobSummary, TrainResult, VersionRef } from '../results.ts';
import { ensureBucket } from '../site.ts';
import type { Site } from '../site.ts';
import { readData, storeData } from './data.ts';
import type { DataSet } from './data.ts';
import { evaluate } from './evaluate.ts';
import type { ChampionModel, Evaluated } from './evaluate.ts';
import { evaluationFile } from './evaluation-file.ts';
import type { FinishedJob, JobPlace } from './jobs.ts';
import { prepare } from './prepare.ts';
import type { Prepared } from './prepare.ts';
import { register } from './register.ts';
import { readSource } from './source.ts';
import type { Source } from './source.ts';
import { train } from './train.ts';
import type { Trained } from './train.ts';

/** Where the run stands, and who looks on. */
export interface RunPlace {
  readonly site: Site;
  readonly model: ResolvedModel;
  /** Absolute path of the model's own file, which is read as configuration and not as source. */
  readonly modelFile: string;
  readonly actor: string;
  readonly onEvent: OnEvent;
  readonly signal: AbortSignal | undefined;
  /** The version in production now, asked only when an evaluation needs it. */
  readonly champion: () => Promise<ChampionModel | undefined>;
}

/** `runs/<runId>/result.json`: written last, once, so that where it lies the run is whole. */
interface StoredResult {
  readonly schemaVersion: '1';
  readonly result: Omit<TrainResult, 'found' | 'reportMarkdown'>;
}

/**
 * One run of a model, named by its source and data: the same source and data find the same run, from any clone.
 */
export async function runModel(place: RunPlace): Promise<TrainResult> {
  const { site, model } = place;
  const source = await readSource(model, place.modelFile);
  const data = await readData(model, site);
  const runId = short(digestOf({ source: source.digest, data: data.digest }));
  const known = await findRun(place, runId, data);
  if (known !== undefined) return known;
  await ensureBucket(site, place.onEvent);
  await keepData(place, data);
  const prepared = await prepare(jobPlace(place, 'prepare'), model, data, source);
  const trained = await train(jobPlace(place, 'train'), model, source, prepared);
  return judgeRun(place, { runId, source, data, prepared, trained });
}

async function findRun(place: RunPlace, runId: string, data: DataSet): Promise<TrainResult | undefined> {
  const { site, model, onEvent } = place;
  const folder = keys.run(model.name, runId);
  const stored = await site.objects.json<StoredResult>(`${folder}/result.json`);
  if (stored === undefined) return undefined;
  const { result } = stored.value;
  if (result.registered !== undefined && (await describeVersion(site, result.registered.arn)) === undefined) {
    const text = `version ${result.registered.version} of this run is gone from the registry; the run is judged again`;
    onEvent({ type: 'note', model: model.name, text });
    return undefined;
  }
  const markdown = await site.objects.text(`${folder}/evaluation/report.md`);
  const stages: [StageName, string][] = [
    ['data', data.uri],
    ['prepare', result.jobs.prepare.name],
    ['train', result.jobs.train.name],
    ['evaluate', result.jobs.evaluate.name],
    ['gate', result.outcome],
    ['register', result.registered?.arn ?? 'nothing'],
  ];
  for (const [stage, subject] of stages) onEvent({ type: 'stage', model: model.name, stage, state: 'found', subject });
  const jobs = result.jobs;
  return {
    ...result,
    found: true,
    reportMarkdown: markdown?.text ?? '',
    jobs: {
      prepare: { ...jobs.prepare, ran: false },
      train: { ...jobs.train, ran: false },
      evaluate: { ...jobs.evaluate, ran: false },
    },
  };
}

async function keepData(place: RunPlace, data: Awaited<ReturnType<typeof readData>>): Promise<void> {
  const stored = await storeData(place.model, place.site, data);
  const rows = data.manifest.rows === undefined ? {} : { detail: `${data.manifest.rows} rows` };
  const state = stored ? 'finished' : 'found';
  place.onEvent({ type: 'stage', model: place.model.name, stage: 'data', state, subject: data.uri, ...rows });
}

interface Run {
  readonly runId: string;
  readonly source: Source;
  readonly data: DataSet;
  readonly prepared: Prepared;
  readonly trained: Trained;
}

async function judgeRun(place: RunPlace, run: Run): Promise<TrainResult> {
  const { site, model, onEvent } = place;
  const champion = await place.champion();
  const evaluated = await evaluate(jobPlace(place, 'evaluate'), model, run, champion);
  const report = judgeTable(model, evaluated);
  const gate = { type: 'stage', model: model.name, stage: 'gate' } as const;
  onEvent({ ...gate, state: 'finished', subject: report.outcome, detail: report.decidedBy });
  const folder = `${keys.run(model.name, run.runId)}/evaluation`;
  const reportMarkdown = renderReport(report);
  await site.objects.put(`${folder}/evaluation.json`, canonical(evaluationFile(report)));
  await site.objects.put(`${folder}/report.json`, canonical(report));
  await site.objects.put(`${folder}/report.md`, reportMarkdown, 'text/markdown; charset=utf-8');
  const registered = await registerRun(place, run, report, champion, site.objects.uri(`${folder}/evaluation.json`));
  const result: StoredResult['result'] = {
    model: model.name,
    runId: run.runId,
    outcome: report.outcome,
    ...(registered === undefined ? {} : { registered }),
    ...(champion === undefined ? {} : { champion: { arn: champion.arn, version: champion.version } }),
    report,
    data: { uri: run.data.uri, digest: run.data.digest },
    artifact: run.trained.artifact,
    evidence: {
      report: site.objects.uri(`${folder}/report.json`),
      reportText: site.objects.uri(`${folder}/report.md`),
      evaluation: site.objects.uri(`${folder}/evaluation.json`),
      predictions: site.objects.uri(`${folder}/predictions.csv`),
    },
    jobs: {
      prepare: summary(run.prepared.job),
      train: summary(run.trained.job),
      evaluate: summary(evaluated.job),
    },
  };
  const stored: StoredResult = { schemaVersion: '1', result };
  await site.objects.put(`${keys.run(model.name, run.runId)}/result.json`, canonical(stored));
  return { ...result, found: false, reportMarkdown };
}

/** `passed` and `inconclusive` register a version that waits; what failed or could not be measured registers none. */
async function registerRun(
  place: RunPlace,
  run: Run,
  report: GateReport,
  champion: ChampionModel | undefined,
  evaluationUri: string,
): Promise<VersionRef | undefined> {
  if (report.outcome !== 'passed' && report.outcome !== 'inconclusive') return undefined;
  const version = await register(place.site, place.model, {
    runId: run.runId,
    artifact: run.trained.artifact,
    evaluationUri,
    report,
    actor: place.actor,
    championArn: champion?.arn,
    sourceDigest: run.source.digest,
    dataDigest: run.data.digest,
    trainingJob: run.trained.job.name,
  });
  const state = version.made ? 'finished' : 'found';
  place.onEvent({ type: 'stage', model: place.model.name, stage: 'register', state, subject: version.arn });
  return { arn: version.arn, version: version.version };
}

function judgeTable(model: ResolvedModel, evaluated: Evaluated): GateReport {
  const report = judge({
    table: evaluated.table,
    gate: model.gate,
    task: model.task,
    metrics: model.evaluate.metrics,
    seed: model.data.split.seed,
  });
  if (evaluated.championTrouble === undefined || report.outcome !== 'passed') return report;
  // The floors hold, but the comparison that the gate asks for could not be made: neither good nor bad.
  const sentence = `The version in production could not be scored on these rows: ${evaluated.championTrouble}`;
  return { ...report, outcome: 'inconclusive', decidedBy: sentence, notes: [sentence, ...report.notes] };
}

function jobPlace(place: RunPlace, stage: StageName): JobPlace {
  return { site: place.site, model: place.model.name, stage, onEvent: place.onEvent, signal: place.signal };
}

function summary(job: FinishedJob): JobSummary {
  return { name: job.name, ran: job.ran, ...(job.seconds === undefined ? {} : { seconds: job.seconds }) };
}
