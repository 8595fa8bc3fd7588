import { cp, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@slipway/kit/errors';
import { EXIT } from '../exit-codes.ts';
import { templateFolder } from '../templates.ts';

/**
 * Makes the demo's project, or takes up the one that an earlier run made. Files that the user has changed since are kept.
 *
 * @returns whether the folder was there already
 * @throws UserError for a folder that holds something else
 */
export async function prepareDemoFolder(folder: string, self: string): Promise<{ found: boolean }> {
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    if (error.code === 'ENOTDIR') throw refuse(`${folder} is a file.`, self);
    throw error;
  });
  if (entries.length === 0) {
    await cp(templateFolder('demo'), folder, { recursive: true });
    return { found: false };
  }
  const project = await readFile(join(folder, 'delivery.yaml'), 'utf8').catch(() => '');
  if (!/^project: demo$/m.test(project)) throw refuse(`${folder} is not empty and holds no demo of Slipway.`, self);
  // A first run that was interrupted may have copied only a part.
  await cp(templateFolder('demo'), folder, { recursive: true, force: false });
  return { found: true };
}

/** Whether the demo's data sets are there: an interrupted run, or one that is at work now, may not have made them yet. */
export async function hasData(folder: string): Promise<boolean> {
  const files = ['breast-cancer', 'diabetes'].map((model) => join(folder, 'models', model, 'data.csv'));
  const found = await Promise.all(files.map((file) => stat(file).catch(() => undefined)));
  return found.every((entry) => entry !== undefined);
}

function refuse(what: string, self: string): UserError {
  return new UserError({
    what,
    next: `Name another folder: \`${self} demo FOLDER\`. Nothing was changed.`,
    exitCode: EXIT.usage,
  });
}
