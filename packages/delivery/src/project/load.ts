import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join, posix, resolve } from 'node:path';
import type { z } from 'zod';
import { ACTED_IN_MODEL, ACTED_IN_PROJECT, notYetActed } from './acted.ts';
import { checkProject } from './check.ts';
import { MAX_FILE_BYTES, readDocument, type SourceDocument } from './document.ts';
import { modelFile, projectFile } from './files.ts';
import type { LoadedProject, ModelConfig, Problem, ProjectConfig } from './model.ts';
import { publishedSchemas, type JsonSchema } from './published.ts';
import type { ReadModel, ReadProject } from './read-project.ts';
import { pathText, problemAt, schemaProblems } from './schema-problems.ts';
import { filesUnder, globBase, matchesGlob, isInside, posixPath, TreeTooLarge } from './tree.ts';

const PROJECT_FILES = ['delivery.yaml', 'slipway.json'] as const;
const MAX_MODELS = 1000;
const DEFAULT_MODELS = 'models/*/model.yaml';

const SCHEMAS = publishedSchemas();

/** The files cannot be used. `problems` holds everything that is wrong, each with its place. */
export class ProjectInvalid extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const first = problems[0];
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
    super(first === undefined ? 'the project is not valid' : `${first.file}:${first.line}: ${first.message}${more}`);
    this.name = 'ProjectInvalid';
    this.problems = problems;
  }
}

function wholeFile(file: string, message: string, suggestion?: string): Problem {
  return { file, line: 1, column: 1, path: '', message, ...(suggestion === undefined ? {} : { suggestion }) };
}

type Read<T> = { config?: T; document?: SourceDocument; problems: Problem[] };

async function readText(folder: string, file: string): Promise<string | Problem> {
  const path = join(folder, file);
  try {
    const real = await realpath(path);
    if (!isInside(await realpath(folder), real)) return wholeFile(file, 'the file is a link that leaves the project');
    const found = await stat(real);
    if (!found.isFile()) return wholeFile(file, 'this is not a file');
    if (found.size > MAX_FILE_BYTES) return wholeFile(file, 'the file is larger than 1 MiB');
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(real));
  } catch (error) {
    if (error instanceof TypeError) return wholeFile(file, 'the file is not UTF-8 text');
    return wholeFile(file, `the file cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

function parse<T>(
  schema: z.ZodType<T>,
  json: JsonSchema,
  acted: readonly string[],
  file: string,
  text: string,
): Read<T> {
  const read = readDocument(file, text);
  if (read.document === undefined) return { problems: read.problems };
  const { document } = read;
  if (document.value === null || document.value === undefined) {
    return { document, problems: [wholeFile(file, 'the file is empty')] };
  }
  const result = schema.safeParse(document.value);
  const problems = result.success ? [] : schemaProblems(document, json, result.error.issues);
  for (const { path, value } of notYetActed(document.value, acted)) {
    const place = pathText(path);
    // A key that the schema does not know either has been named already, with a better suggestion.
    if (problems.some((problem) => problem.path === place || place.startsWith(`${problem.path}.`))) continue;
    const what = value === undefined ? place : `${place}: ${value}`;
    problems.push(
      problemAt(
        document,
        path,
        value === undefined ? 'key' : 'value',
        `\`${what}\` is understood but nothing acts on it yet; remove it to go on`,
      ),
    );
  }
  return result.success ? { config: result.data, document, problems } : { document, problems };
}

/** The models' files that the project's pattern matches, relative to the project, sorted. */
async function findModelFiles(folder: string, pattern: string): Promise<string[]> {
  const normal = posix.normalize(pattern);
  if (normal.startsWith('../') || normal.startsWith('/')) return [];
  const base = join(folder, globBase(normal));
  const found = await stat(base).then(
    async (entry) => (entry.isDirectory() ? await filesUnder(base) : [base]),
    () => [],
  );
  return found
    .map((path) => posixPath(path.slice(folder.length + 1)))
    .filter((path) => matchesGlob(normal, path))
    .sort();
}

async function readModels(
  folder: string,
  files: readonly string[],
): Promise<{ models: ReadModel[]; problems: Problem[] }> {
  const models: ReadModel[] = [];
  const problems: Problem[] = [];
  for (const file of files) {
    const text = await readText(folder, file);
    if (typeof text !== 'string') {
      problems.push(text);
      continue;
    }
    const read: Read<ModelConfig> = parse(modelFile, SCHEMAS['model.schema.json'], ACTED_IN_MODEL, file, text);
    problems.push(...read.problems);
    if (read.config === undefined || read.document === undefined) continue;
    const modelFolder = dirname(join(folder, file));
    models.push({ name: read.config.model, folder: modelFolder, file, config: read.config, document: read.document });
  }
  return { models, problems };
}

async function projectFileOf(folder: string): Promise<string | Problem> {
  const present: string[] = [];
  for (const file of PROJECT_FILES) {
    if (await stat(join(folder, file)).then(Boolean, () => false)) present.push(file);
  }
  if (present.length === 1) return present[0] as string;
  return present.length === 0
    ? wholeFile('delivery.yaml', 'there is no delivery.yaml here', 'make one with `slipway init`')
    : wholeFile('slipway.json', 'a project has one file: delivery.yaml or slipway.json', 'remove one of the two');
}

function inOrder(problems: readonly Problem[]): Problem[] {
  return [...problems].sort((a, b) =>
    a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.column - b.column,
  );
}

/** Reads and checks everything. Never stops at the first problem, never touches the network. */
export async function readProject(folderName: string): Promise<{ project?: LoadedProject; problems: Problem[] }> {
  const folder = resolve(folderName);
  const file = await projectFileOf(folder);
  if (typeof file !== 'string') return { problems: [file] };
  const text = await readText(folder, file);
  if (typeof text !== 'string') return { problems: [text] };
  const read: Read<ProjectConfig> = parse(projectFile, SCHEMAS['project.schema.json'], ACTED_IN_PROJECT, file, text);
  const problems = [...read.problems];
  const written = (read.document?.value as { models?: unknown } | null | undefined)?.models;
  const pattern = typeof written === 'string' ? written : DEFAULT_MODELS;
  let files: string[];
  try {
    files = await findModelFiles(folder, pattern);
  } catch (error) {
    if (!(error instanceof TreeTooLarge)) throw error;
    return { problems: inOrder([...problems, wholeFile(file, error.message, 'narrow the pattern `models`')]) };
  }
  if (files.length === 0) {
    const message = `the project has no models: no file matches ${pattern}`;
    problems.push(
      read.document === undefined
        ? wholeFile(file, message)
        : problemAt(read.document, ['models'], 'value', message, 'add models/<name>/model.yaml, or run `slipway init`'),
    );
  }
  if (files.length > MAX_MODELS)
    return { problems: [wholeFile(file, `more than ${MAX_MODELS} files match ${pattern}`)] };
  const { models, problems: inModels } = await readModels(folder, files);
  problems.push(...inModels);
  if (read.config === undefined || read.document === undefined) return { problems: inOrder(problems) };
  const readAll: ReadProject = { folder, document: read.document, config: read.config, models };
  problems.push(...(await checkProject(readAll)));
  if (problems.length > 0) return { problems: inOrder(problems) };
  const sorted = models
    .map(({ name, folder: at, file: own, config }) => ({ name, folder: at, file: own, config }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const registry = read.config.registry ?? (Object.keys(read.config.environments)[0] as string);
  return {
    problems: [],
    project: { name: read.config.project, folder, file, config: read.config, models: sorted, registry },
  };
}

/**
 * Reads `delivery.yaml` (or `slipway.json`) in `folder` and the models' files.
 *
 * @throws ProjectInvalid with every problem
 */
export async function loadProject(folder: string): Promise<LoadedProject> {
  const { project, problems } = await readProject(folder);
  if (project === undefined) throw new ProjectInvalid(problems);
  return project;
}
