import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DEFAULT_REGION } from './environment.ts';
import { resolveImage } from './images.ts';
import type { Problem } from './model.ts';
import type { ReadModel, ReadProject } from './read-project.ts';
import { endpointMode, withDefaults } from './resolve.ts';
import { problemAt } from './schema-problems.ts';

/** What answers a request: the image, and within it its own server or a script of the model. */
interface Handler {
  image: string;
  script?: string;
}

interface Member {
  model: ReadModel;
  handler: Handler;
}

/** The names a script of inference goes by where SageMaker's containers look for one. */
const INFERENCE_SCRIPTS = ['inference.py', 'code/inference.py'];

async function scriptOf(model: ReadModel, entry: string | undefined): Promise<string | undefined> {
  if (entry !== undefined) return entry;
  for (const name of INFERENCE_SCRIPTS) {
    if (
      await stat(join(model.folder, name)).then(
        (found) => found.isFile(),
        () => false,
      )
    )
      return name;
  }
  return undefined;
}

function regionOf({ config }: ReadProject): string {
  const registry = config.registry ?? Object.keys(config.environments)[0] ?? '';
  return config.environments[registry]?.region ?? DEFAULT_REGION;
}

/** The full URI where the name is known, so that an alias and the URI it stands for are the same image. */
function sameImage(name: string, region: string): string {
  const result = resolveImage(name, region);
  return 'problem' in result ? name : result.uri;
}

async function membersOf(project: ReadProject): Promise<Map<string, Member[]>> {
  const members = new Map<string, Member[]>();
  for (const model of project.models) {
    const { serve, train } = withDefaults(project.config, model.config);
    if (serve === undefined) continue;
    const endpoint = serve.endpoint ?? `${project.config.project}-${model.name}`;
    const image = sameImage(serve.image ?? train?.image ?? '', regionOf(project));
    const script = await scriptOf(model, serve.entry);
    const list = members.get(endpoint) ?? [];
    members.set(endpoint, list);
    list.push({ model, handler: { image, ...(script === undefined ? {} : { script }) } });
  }
  return members;
}

export async function checkEndpoints(project: ReadProject): Promise<Problem[]> {
  const { config, document } = project;
  const region = regionOf(project);
  const problems: Problem[] = [];
  for (const [name, endpoint] of Object.entries(config.endpoints ?? {})) {
    if (endpoint.image === undefined) continue;
    const result = resolveImage(endpoint.image, region);
    if (!('problem' in result)) continue;
    problems.push(problemAt(document, ['endpoints', name, 'image'], 'value', result.problem, result.suggestion));
  }
  problems.push(...checkRealNames(project));
  for (const [name, members] of await membersOf(project)) {
    const shared = Object.hasOwn(config.endpoints ?? {}, name) ? config.endpoints?.[name] : undefined;
    const own = withDefaults(config, members[0]?.model.config ?? { model: '' }).serve;
    const mode = endpointMode(shared ?? own ?? {}, shared !== undefined);
    if (mode === 'realtime') problems.push(...onlyOne(name, members));
    else problems.push(...oneHandler(name, members, shared?.image, region));
  }
  return problems;
}

/** Two names in the file that are one endpoint on AWS. */
function checkRealNames({ config, document }: ReadProject): Problem[] {
  const first = new Map<string, string>();
  return Object.entries(config.endpoints ?? {}).flatMap(([name, endpoint]) => {
    const real = endpoint.endpoint ?? name;
    const other = first.get(real);
    first.set(real, other ?? name);
    const message = `${name} and ${other} are both the endpoint ${real}`;
    return other === undefined ? [] : [problemAt(document, ['endpoints', name], 'key', message)];
  });
}

function onlyOne(name: string, members: readonly Member[]): Problem[] {
  const [first, ...others] = members;
  return others.map(({ model }) => {
    const message = `the endpoint ${name} is real-time and already serves ${first?.model.name}`;
    return problemAt(model.document, ['serve'], 'key', message, 'make it mode: multi-model, or use another endpoint');
  });
}

function describe({ image, script }: Handler): string {
  return script === undefined ? `the own server of ${image}` : `the script ${script} on ${image}`;
}

/**
 * SageMaker loads every model of a multi-model endpoint into the same container, whose handler is chosen when it
 * starts: models that need another image, or a script where the others use the image's own server, cannot join.
 */
function oneHandler(name: string, members: readonly Member[], image: string | undefined, region: string): Problem[] {
  const [first, ...others] = members;
  if (first === undefined) return [];
  const why = 'a multi-model endpoint has one image and one handler for all its models';
  const wanted = image === undefined ? first.handler.image : sameImage(image, region);
  const whose = image === undefined ? first.model.name : `the endpoint ${name}`;
  const problems: Problem[] = [];
  for (const { model, handler } of members) {
    if (handler.image === wanted) continue;
    const message = `${model.name} needs the image ${handler.image}, ${whose} has ${wanted}; ${why}`;
    problems.push(problemAt(model.document, ['serve'], 'key', message, 'use one image, or an endpoint of its own'));
  }
  for (const { model, handler } of others) {
    if (handler.image !== wanted || (handler.script === undefined) === (first.handler.script === undefined)) continue;
    const message = `${model.name} is served by ${describe(handler)}, ${first.model.name} by ${describe(first.handler)}; ${why}`;
    const suggestion = 'serve all by a script or all by the image, or use an endpoint of its own';
    problems.push(problemAt(model.document, ['serve'], 'key', message, suggestion));
  }
  return problems;
}
