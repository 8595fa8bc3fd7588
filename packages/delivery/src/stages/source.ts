import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cp, mkdir } from 'node:fs/promises';
import { create } from 'tar';
import { digestOf, short } from '../digest.ts';
import type { ProjectObjects } from '../objects.ts';
import type { ResolvedModel } from '../project/model.ts';
import { sourceFiles } from './files.ts';
import type { SourceFile } from './files.ts';

/** What a model is made from, without its data: the identity that survives a squash merge. */
export interface Source {
  readonly files: readonly SourceFile[];
  /** Over files, image and everything in the model's configuration that training reads. */
  readonly training: string;
  /** `training`, and what judges the result. */
  readonly digest: string;
}

export async function readSource(model: ResolvedModel, modelFile: string): Promise<Source> {
  const data = model.data.files.kind === 'project' ? [model.data.files.absolute] : [];
  const files = await sourceFiles(model.folder, model.projectFolder, model.inputs, [...data, modelFile]);
  const content = files.map(({ path, sha256 }) => [path, sha256]);
  const { files: _where, ...rows } = model.data;
  const training = digestOf({ model: model.name, task: model.task, train: model.train, data: rows, content });
  const digest = digestOf({ training, gate: model.gate, evaluate: model.evaluate });
  return { files, training, digest };
}

/**
 * Uploads the model's files as `sourcedir.tar.gz` under the digest of its content, unless it lies there.
 *
 * @returns its URI
 */
export async function uploadSourcedir(objects: ProjectObjects, model: string, source: Source): Promise<string> {
  const content = source.files.map(({ path, sha256 }) => [path, sha256]);
  const key = `models/${model}/source/${short(digestOf(content))}/sourcedir.tar.gz`;
  if ((await objects.head(key)) !== undefined) return objects.uri(key);
  await objects.put(key, await packDeterministic(source.files), 'application/gzip');
  return objects.uri(key);
}

/** The same files always give the same bytes: no owner, no times, sorted names. */
export async function packDeterministic(files: readonly SourceFile[]): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-source-'));
  try {
    for (const file of files) {
      const target = join(folder, 'code', file.path);
      await mkdir(dirname(target), { recursive: true });
      await cp(file.absolute, target);
    }
    const archive = join(folder, 'sourcedir.tar.gz');
    const names = files.map((file) => file.path).toSorted();
    const cwd = join(folder, 'code');
    await mkdir(cwd, { recursive: true });
    await create({ file: archive, cwd, gzip: true, portable: true, mtime: new Date(0) }, names);
    return await readFile(archive);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
