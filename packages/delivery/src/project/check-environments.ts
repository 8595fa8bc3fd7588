import type { Problem } from './model.ts';
import { nearest } from './nearest.ts';
import type { ReadProject } from './read-project.ts';
import { DEFAULT_REGION } from './environment.ts';
import { problemAt } from './schema-problems.ts';

export function checkEnvironments({ config, document }: ReadProject): Problem[] {
  const names = Object.keys(config.environments);
  if (names.length === 0) {
    const message = 'the project has no environment';
    return [problemAt(document, ['environments'], 'value', message, 'add one with an account and a region')];
  }
  const problems: Problem[] = [];
  const { registry } = config;
  if (registry === undefined && names.length > 1) {
    const message = `registry is missing: which of ${names.join(', ')} trains and registers?`;
    problems.push(problemAt(document, ['environments'], 'key', message, `add registry: ${names[0]}`));
  }
  if (registry !== undefined && !names.includes(registry)) {
    const meant = nearest(registry, names);
    const suggestion = meant === undefined ? `known: ${names.join(', ')}` : `did you mean ${meant}?`;
    problems.push(problemAt(document, ['registry'], 'value', `there is no environment ${registry}`, suggestion));
  }
  problems.push(...checkAccounts(config, document, registry ?? names[0]));
  return problems;
}

type Config = ReadProject['config'];

function checkAccounts(config: Config, document: ReadProject['document'], registry: string | undefined): Problem[] {
  const problems: Problem[] = [];
  const home = registry === undefined ? undefined : config.environments[registry];
  const places = new Map<string, string>();
  for (const [name, environment] of Object.entries(config.environments)) {
    const region = environment.region ?? DEFAULT_REGION;
    if (home !== undefined && environment.account !== home.account) {
      const message =
        `account ${environment.account} differs from the registry's (${home.account}): ` +
        'a registry in another account is understood but nothing acts on it yet';
      problems.push(
        problemAt(document, ['environments', name, 'account'], 'value', message, 'use one account, or projects apart'),
      );
    } else if (home !== undefined && region !== (home.region ?? DEFAULT_REGION)) {
      const message =
        `region ${region} differs from the registry's (${home.region ?? DEFAULT_REGION}): ` +
        'copying versions between regions is understood but nothing acts on it yet';
      problems.push(problemAt(document, ['environments', name], 'key', message, 'use one region'));
    }
    const place = `${environment.account} ${region} ${environment.target ?? 'local'} ${environment.endpointUrl ?? ''}`;
    const other = places.get(place);
    if (other !== undefined) {
      const message = `${name} is the same account and region as ${other}, so both would be the same endpoints`;
      problems.push(problemAt(document, ['environments', name], 'key', message, 'keep one of the two for now'));
    } else places.set(place, name);
    if (environment.target === 'aws' && environment.role === undefined) {
      const message = 'role is missing: on AWS, jobs and models need the ARN of an execution role';
      problems.push(problemAt(document, ['environments', name], 'key', message, 'add role: arn:aws:iam::…:role/…'));
    }
  }
  return problems;
}
