import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { UserError } from '@slipway/kit/errors';
import { flagOption, textOption, type Command, type Io } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { printJson } from '../print/answer.ts';
import { PROJECT_OPTIONS, withProject } from '../project/open.ts';

/** SageMaker's own limit for a synchronous invocation. */
const MAX_BODY_BYTES = 6_291_456;

export const command: Command = {
  name: 'invoke',
  summary: 'ask the live version of a model for predictions',
  arguments: [
    { name: 'model', summary: 'the model' },
    { name: 'file', summary: 'what to send; - or nothing reads standard input', optional: true },
  ],
  options: [
    ...PROJECT_OPTIONS,
    { name: 'content-type', value: 'type', summary: 'of what is sent (default: text/csv)' },
    { name: 'accept', value: 'type', summary: 'of the answer' },
  ],
  examples: ['echo 0.03,0.05,0.06,0.02,-0.04,-0.03,-0.04,-0.002,0.02,-0.02 | slipway invoke diabetes'],
  async run(input, io) {
    const [model = '', file = '-'] = input.arguments;
    const body = await readBody(file, io);
    if (Buffer.from(body).toString('latin1').trim() === '') throw nothingToSend(file);
    const contentType = textOption(input, 'content-type');
    const accept = textOption(input, 'accept');
    return await withProject(input, io, async ({ delivery, environment }) => {
      const result = await delivery.invoke({
        model,
        env: environment.name,
        body,
        ...(contentType === undefined ? {} : { contentType }),
        ...(accept === undefined ? {} : { accept }),
      });
      const answer = Buffer.from(result.body);
      if (flagOption(input, 'json')) printJson(io, 'invoke', { ...result, body: answer.toString('utf8') });
      else io.stdout.write(answer.at(-1) === NEWLINE ? answer : Buffer.concat([answer, Buffer.from('\n')]));
      return EXIT.done;
    });
  },
};

const NEWLINE = 10;

async function readBody(file: string, io: Io): Promise<Uint8Array> {
  if (file !== '-') return await readFile(resolve(io.cwd, file)).catch((error: unknown) => fail(file, error));
  if (io.stdin.isTTY) {
    throw nothingToSend(file);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of io.stdin as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES)
      throw new UserError({ what: `Standard input is longer than ${MAX_BODY_BYTES} bytes, SageMaker’s limit.` });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function nothingToSend(file: string): UserError {
  return new UserError({
    what: file === '-' ? 'There is nothing to send: standard input is empty.' : `${file} is empty; nothing was sent.`,
    next: 'Name a file with one row of features on each line, or pipe it in.',
    exitCode: EXIT.usage,
  });
}

function fail(file: string, error: unknown): never {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') {
    throw new UserError({
      what: `There is no file ${file}.`,
      next: 'Name a file with one row of features on each line, or pipe it in.',
      exitCode: EXIT.usage,
    });
  }
  if (code === 'EISDIR') throw new UserError({ what: `${file} is a folder.`, exitCode: EXIT.usage });
  throw error;
}
