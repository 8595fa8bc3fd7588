import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { UserError } from '@slipway/kit/errors';
import type { Command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { templateFolder } from '../templates.ts';

/** What SageMaker's names allow, short enough to leave room for the model's. */
const PROJECT_NAME = /^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,31}$/;

export const command: Command = {
  name: 'init',
  summary: 'start a project with one model that trains as it is',
  arguments: [{ name: 'folder', summary: 'where (default: here)', optional: true }],
  examples: ['slipway init pricing && cd pricing && slipway train'],
  async run(input, io) {
    const folder = resolve(io.cwd, input.arguments[0] ?? '.');
    await mkdir(folder, { recursive: true });
    const taken = (await readdir(folder)).filter((name) => ['delivery.yaml', 'slipway.json', 'models'].includes(name));
    if (taken.length > 0) {
      throw new UserError({
        what: `${folder} already holds ${taken.join(' and ')}; nothing was written.`,
        next: 'Name another folder.',
        exitCode: EXIT.usage,
      });
    }
    await cp(templateFolder('init'), folder, { recursive: true, errorOnExist: true, force: false });
    const file = join(folder, 'delivery.yaml');
    await writeFile(file, (await readFile(file, 'utf8')).replace('PROJECT', projectName(folder)));
    await addLine(join(folder, '.gitignore'), '.slipway/');
    const where = relative(io.cwd, folder);
    io.stdout.write(
      `Made a project in ${folder}: delivery.yaml, models/house-prices/ (its data.csv is made up, for a start).\n\n` +
        `Next:\n${where === '' ? '' : `  cd ${where}\n`}  ${io.self} train\n`,
    );
    return EXIT.done;
  },
};

function projectName(folder: string): string {
  const name = basename(folder)
    .replace(/[^a-zA-Z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 32)
    .replace(/-+$/, '');
  return PROJECT_NAME.test(name) ? name : 'project';
}

async function addLine(file: string, line: string): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => '');
  if (!text.split('\n').includes(line))
    await writeFile(file, `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`);
}
