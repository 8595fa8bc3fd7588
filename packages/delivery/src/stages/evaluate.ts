import { canonical, digestOf, sha256 } from '../digest.ts';
import { DeliveryError } from '../errors.ts';
import type { PredictionTable } from '../gates/gate.ts';
import { keys } from '../names.ts';
import type { ResolvedModel } from '../project/model.ts';
import { runProcessing } from './jobs.ts';
import type { FinishedJob, JobPlace } from './jobs.ts';
import { parsePredictions } from './predictions.ts';
import { CODE_PATH, input, ownScript, processingRequest, sourceContents, uploadCode } from './prepare.ts';
import type { Prepared } from './prepare.ts';
import type { Source } from './source.ts';
import type { Trained } from './train.ts';

/** Largest predictions.csv that is judged here. */
const PREDICTIONS_BYTES_MAX = 512 << 20;

/** The version in production whose artifact is scored on the same rows. */
export interface ChampionModel {
  readonly arn: string;
  readonly version: number;
  readonly artifact: string;
}

export interface Evaluated {
  readonly job: FinishedJob;
  readonly table: PredictionTable;
  /** Why the champion could not be scored; then the table has none, and nothing can be said about it. */
  readonly championTrouble: string | undefined;
}

interface Scoring {
  readonly champion: boolean;
  readonly trouble: string | null;
  readonly data: { readonly trivial: number };
}

/** Scores challenger and champion on the held-out rows, in a processing job, into the run's evaluation folder. */
export async function evaluate(
  place: JobPlace,
  model: ResolvedModel,
  run: { readonly runId: string; readonly source: Source; readonly prepared: Prepared; readonly trained: Trained },
  champion: ChampionModel | undefined,
): Promise<Evaluated> {
  const { site } = place;
  const { entry } = model.evaluate;
  const script = entry ?? 'evaluate.py';
  const files =
    entry === undefined ? { 'evaluate.py': await ownScript('evaluate.py') } : await sourceContents(run.source);
  const code = await uploadCode(site, { ...files, 'config.json': canonical({ task: model.task }) });
  const digest = digestOf({
    run: run.runId,
    champion: champion?.arn ?? null,
    scripts: Object.entries(files).map(([name, content]) => [name, sha256(content)]),
  });
  const folder = `${keys.run(model.name, run.runId)}/evaluation`;
  const inputs = [
    input('code', code, CODE_PATH),
    input('test', run.prepared.test, '/opt/ml/processing/input/test'),
    input('challenger', run.trained.artifact, '/opt/ml/processing/input/challenger'),
  ];
  if (champion !== undefined) inputs.push(input('champion', champion.artifact, '/opt/ml/processing/input/champion'));
  const job = await runProcessing(place, model.project, digest, {
    ...processingRequest(model, site, script, site.objects.uri(folder)),
    ProcessingInputs: inputs,
  });
  const predictions = await site.objects.text(`${folder}/predictions.csv`, PREDICTIONS_BYTES_MAX);
  if (predictions === undefined) {
    throw new DeliveryError(`The processing job ${job.name} ended well but wrote no predictions.csv.`);
  }
  const scoring = await site.objects.json<Scoring>(`${folder}/scoring.json`);
  const table = parsePredictions(predictions.text, scoring?.value.data.trivial);
  const missing = champion !== undefined && table.champion === undefined;
  return {
    job,
    table,
    championTrouble: missing ? (scoring?.value.trouble ?? 'the evaluation wrote no scores for it') : undefined,
  };
}
