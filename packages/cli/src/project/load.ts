import { resolve } from 'node:path';
import { loadProject, ProjectInvalid, type LoadedProject, type Problem } from '@slipway/delivery/project';
import { UserError } from '@slipway/kit/errors';
import { textOption, type CommandInput, type Io } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { findProject } from '../local/data-folder.ts';

/** The folder named by `--project`, else the nearest one at or above the current folder. */
export function projectFolder(input: CommandInput, io: Io): string {
  const named = textOption(input, 'project');
  if (named !== undefined) return resolve(io.cwd, named);
  const found = findProject(io.cwd);
  if (found !== undefined) return found;
  throw new UserError({
    what: `${io.cwd} is in no project: there is no delivery.yaml here or above.`,
    next: `Make one with \`${io.self} init\`, name one with --project FOLDER, or see a finished one with \`${io.self} demo\`.`,
    exitCode: EXIT.usage,
  });
}

/**
 * Reads and checks a project.
 *
 * @throws UserError that lists every problem with its place
 */
export async function loadCheckedProject(folder: string, io: Io): Promise<LoadedProject> {
  try {
    return await loadProject(folder);
  } catch (error) {
    if (!(error instanceof ProjectInvalid)) throw error;
    const count = error.problems.length;
    throw new UserError({
      what: `The project has ${count} problem${count === 1 ? '' : 's'}.`,
      why: error.problems.map(problemLine).join('\n'),
      next: `Mend ${count === 1 ? 'it' : 'them'}, then check with \`${io.self} validate\`. Nothing was changed.`,
      exitCode: EXIT.usage,
    });
  }
}

/** `models/churn/model.yaml:7:3  gate.primry: unknown key; did you mean \`primary\`?` */
export function problemLine(problem: Problem): string {
  const place = `${problem.file}:${problem.line}:${problem.column}`;
  const subject = problem.path === '' ? '' : `${problem.path}: `;
  return `${place}  ${subject}${problem.message}${problem.suggestion === undefined ? '' : `; ${problem.suggestion}`}`;
}
