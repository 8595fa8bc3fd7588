import { loadProject, ProjectInvalid } from '@slipway/delivery/project';
import { JSON_OPTION, flagOption, type Command } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { paint } from '../print/colour.ts';
import { problemLine, projectFolder } from '../project/load.ts';

export const command: Command = {
  name: 'validate',
  summary: 'check the project’s files; needs no server and no network',
  options: [
    { name: 'project', value: 'folder', summary: 'the project (default: the one around the current folder)' },
    JSON_OPTION,
  ],
  async run(input, io) {
    const folder = projectFolder(input, io);
    const asJson = flagOption(input, 'json');
    try {
      const project = await loadProject(folder);
      const models = project.models.map((model) => model.name);
      const environments = Object.keys(project.config.environments ?? {});
      if (asJson)
        io.stdout.write(
          `${JSON.stringify({ schemaVersion: '1', command: 'validate', valid: true, models, problems: [] })}\n`,
        );
      else {
        io.stdout.write(
          `${paint(io.colour).green('valid')}  project ${project.name}: ${count(models, 'model')} (${models.join(', ')}), ` +
            `${count(environments, 'environment')} (${environments.join(', ')})\n`,
        );
      }
      return EXIT.done;
    } catch (error) {
      if (!(error instanceof ProjectInvalid)) throw error;
      const { problems } = error;
      if (asJson)
        io.stdout.write(`${JSON.stringify({ schemaVersion: '1', command: 'validate', valid: false, problems })}\n`);
      else io.stdout.write(`${problems.map(problemLine).join('\n')}\n${count(problems, 'problem')}\n`);
      return EXIT.usage;
    }
  },
};

function count(items: readonly unknown[], name: string): string {
  return `${items.length} ${name}${items.length === 1 ? '' : 's'}`;
}
