import { checkEndpoints } from './check-endpoints.ts';
import { checkEnvironments } from './check-environments.ts';
import { checkModel } from './check-model.ts';
import type { Problem } from './model.ts';
import type { ReadProject } from './read-project.ts';
import { problemAt } from './schema-problems.ts';

/**
 * What no schema can say: whether names lead somewhere, files exist, and models that share an endpoint fit together.
 * Offline, and everything at once.
 */
export async function checkProject(project: ReadProject): Promise<Problem[]> {
  const problems = [...checkEnvironments(project), ...checkNames(project)];
  for (const model of project.models) problems.push(...(await checkModel(project, model)));
  problems.push(...(await checkEndpoints(project)));
  return problems;
}

/** AWS's limit for the name of a model package group, `<project>-<model>`. */
const MAX_GROUP_NAME = 63;

function checkNames(project: ReadProject): Problem[] {
  const problems: Problem[] = [];
  const first = new Map<string, string>();
  for (const model of project.models) {
    const other = first.get(model.name.toLowerCase());
    if (other !== undefined) {
      const message = `the model ${model.name} is also described in ${other}`;
      problems.push(problemAt(model.document, ['model'], 'value', message, 'give each model a name of its own'));
    } else first.set(model.name.toLowerCase(), model.file);
    const group = `${project.config.project}-${model.name}`;
    if (group.length > MAX_GROUP_NAME) {
      const message = `${group} has ${group.length} characters; AWS allows ${MAX_GROUP_NAME} for a model package group`;
      problems.push(problemAt(model.document, ['model'], 'value', message, 'shorten the name of the project or model'));
    }
  }
  return problems;
}
