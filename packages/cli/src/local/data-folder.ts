import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** File names that make a folder a project, in the order in which they are looked for. */
const PROJECT_FILES = ['delivery.yaml', 'slipway.json'];

/** The nearest folder at or above `from` that holds a project file. */
export function findProject(from: string): string | undefined {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    if (PROJECT_FILES.some((file) => existsSync(join(folder, file)))) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}

/** `--data`, else `.slipway` in the project, else undefined (outside a project). */
export function findDataFolder(from: string, data: string | undefined): string | undefined {
  if (data !== undefined) return resolve(from, data);
  const project = findProject(from);
  return project === undefined ? undefined : join(project, '.slipway');
}
