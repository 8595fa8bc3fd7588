import { cp, readdir, readFile } from 'node:fs/promises';
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
export async function prepareDemoFolder(folder: string): Promise<{ found: boolean }> {
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    if (error.code === 'ENOTDIR') throw refuse(`${folder} is a file.`);
    throw error;
  });
  if (entries.length === 0) {
    await cp(templateFolder('demo'), folder, { recursive: true });
    return { found: false };
  }
  const project = await readFile(join(folder, 'delivery.yaml'), 'utf8').catch(() => '');
  if (!/^project: demo$/m.test(project)) throw refuse(`${folder} is not empty and holds no demo of Slipway.`);
  // A first run that was interrupted may have copied only a part.
  await cp(templateFolder('demo'), folder, { recursive: true, force: false });
  return { found: true };
}

function refuse(what: string): UserError {
  return new UserError({
    what,
    next: 'Name another folder: `slipway demo FOLDER`. Nothing was changed.',
    exitCode: EXIT.usage,
  });
}
