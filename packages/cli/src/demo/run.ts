import { join } from 'node:path';
import type { ApplyResult, AwsClients, Delivery, TrainResult } from '@slipway/delivery';
import { resolveEnvironment, type LoadedProject } from '@slipway/delivery/project';
import type { Io } from '../command.ts';
import type { PythonEnvironment } from '@slipway/server/python';
import { findRunningServer } from '../local/running-server.ts';
import { pythonEnvironment } from '../local/python.ts';
import { paint } from '../print/colour.ts';
import { progressLine } from '../print/progress.ts';
import { trainReport } from '../print/train-report.ts';
import { loadCheckedProject } from '../project/load.ts';
import { withProject } from '../project/open.ts';
import { templateFolder } from '../templates.ts';
import { comparePredictions, type DemoModel } from './compare.ts';
import { hasData, prepareDemoFolder } from './folder.ts';
import { runPython } from './python.ts';
import { summary } from './summary.ts';
import { createTimes, type Times } from './times.ts';

export interface DemoFolder {
  /** Absolute. */
  readonly folder: string;
  /** As the user would type it from where they stand. */
  readonly shown: string;
}

/**
 * The whole loop on two real models. Each step is one that the commands take, through the same delivery half.
 *
 * @returns whether the endpoint's predictions equal those of the downloaded artifacts
 */
export async function runDemo({ folder, shown }: DemoFolder, io: Io): Promise<boolean> {
  const times = createTimes();
  const { bold, dim } = paint(io.colour);
  const { found } = await prepareDemoFolder(folder, io.self);
  io.stderr.write(`${bold('Slipway demo')} in ${folder}${found ? dim(' (found: made by an earlier run)') : ''}\n`);
  const python = await times.measure('Python environment', async () => await environment(io));
  if (!(await hasData(folder)))
    await times.measure(
      'data sets',
      async () => void (await runPython(python.python, [join(templateFolder('demo'), 'make_data.py'), folder])),
    );
  const project = await loadCheckedProject(folder, io);
  const hadServer = (await findRunningServer(join(folder, '.slipway'))) !== undefined;
  const steps = await times.measure(
    'all of the delivery',
    async () =>
      await withProject(
        { arguments: [], options: { project: folder }, passthrough: [] },
        io,
        async ({ delivery, connect }) => {
          const aws = connect(resolveEnvironment(project, project.registry));
          return await takeThrough({ delivery, aws, python: python.python, folder, project }, times, io);
        },
      ),
  );
  io.stdout.write(
    summary({
      ...steps,
      shown,
      times,
      hadServer,
      python: { folder: python.folder, standsIn: standsIn(project, python) },
      io,
    }),
  );
  return steps.models.every(({ comparison }) => comparison.equal);
}

async function environment(io: Io): Promise<Awaited<ReturnType<typeof pythonEnvironment>>> {
  const progress = progressLine(io);
  try {
    return await pythonEnvironment(io, (text) => progress.show(text));
  } finally {
    progress.clear();
  }
}

interface Parts {
  readonly delivery: Delivery;
  readonly aws: AwsClients;
  readonly python: string;
  readonly folder: string;
  readonly project: LoadedProject;
}

async function takeThrough(
  parts: Parts,
  times: Times,
  io: Io,
): Promise<{ models: readonly DemoModel[]; applied: ApplyResult }> {
  const { delivery, project } = parts;
  const trainings: TrainResult[] = [];
  for (const { name } of project.models) {
    const training = await times.measure(`train ${name}`, async () => await delivery.train(name));
    io.stderr.write(trainReport(training, io));
    trainings.push(training);
  }
  await times.measure('approve', async () => {
    for (const { model, registered } of trainings) {
      if (registered !== undefined) await approveIfNew(delivery, model, registered.version, io);
    }
  });
  const applied = await times.measure('release', async () => await delivery.apply({ env: project.registry }));
  const models = await times.measure('predictions', async () => {
    const compared: DemoModel[] = [];
    for (const training of trainings) {
      const { target } = project.models.find(({ name }) => name === training.model)?.config.data ?? {};
      compared.push({ training, comparison: await comparePredictions({ ...parts, target: target ?? '' }, training) });
    }
    return compared;
  });
  return { models, applied };
}

/** In the demo nobody stands at the gate, so it approves what passed. A second run finds the decision. */
async function approveIfNew(delivery: Delivery, model: string, version: number, io: Io): Promise<void> {
  const decision = await delivery.approve({
    model,
    version: String(version),
    reason: 'the demo approves what its gate passed',
  });
  if (!decision.changed)
    io.stderr.write(
      `${paint(io.colour).dim(`= ${model}  approve   version ${version} (found: approved by an earlier run)`)}\n`,
    );
}

/** Which installed library runs in the place of the one that the image's tag stands for. */
function standsIn(project: LoadedProject, python: PythonEnvironment): string {
  const images = new Set(Object.values(project.config.endpoints ?? {}).map(({ image }) => image ?? ''));
  const version = python.versions['xgboost-cpu'] ?? python.versions['xgboost'] ?? 'unknown';
  return `xgboost ${version} on Python ${python.pythonVersion} stands in for ${[...images].join(', ')}`;
}
