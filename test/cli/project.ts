import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { slipway, type Ran } from '../support/cli.ts';

const MODEL = 'models/house-prices';

/** A project as `slipway init` makes it, in a folder of its own. */
export interface Project {
  readonly folder: string;
  run(...args: string[]): Promise<Ran>;
  send(input: string, ...args: string[]): Promise<Ran>;
  /** Changes `model.yaml`; a pattern that is not there fails the test. */
  edit(...changes: readonly [RegExp, string][]): Promise<void>;
  data(text: string | Uint8Array): Promise<void>;
  /** Trains by a script instead of the built-in algorithm. */
  script(text: string, more?: string): Promise<void>;
  /** Requests of the server's log that could have changed something. */
  changes(): Promise<readonly string[]>;
  remove(): Promise<void>;
}

export async function newProject(from?: Project): Promise<Project> {
  const parent = await mkdtemp(join(tmpdir(), 'slipway-input-'));
  const folder = join(parent, 'pricing');
  if (from === undefined) await slipway(['init', 'pricing'], { cwd: parent });
  else await cp(from.folder, folder, { recursive: true });
  const model = join(folder, MODEL, 'model.yaml');
  const edit = async (...changes: readonly [RegExp, string][]): Promise<void> => {
    let text = await readFile(model, 'utf8');
    for (const [pattern, by] of changes) {
      expect(text).toMatch(pattern);
      text = text.replace(pattern, by);
    }
    await writeFile(model, text);
  };
  return {
    folder,
    run: async (...args) => await slipway(args, { cwd: folder }),
    send: async (input, ...args) => await slipway(args, { cwd: folder, input }),
    edit,
    data: async (text) => await writeFile(join(folder, MODEL, 'data.csv'), text),
    async script(text, more = '') {
      await edit(
        [/image: xgboost:1\.7-1 #.*/, `image: xgboost:1.7-1\n  entry: train.py${more}`],
        [/ {2}objective: \{.*\n/, ''],
        [/ {2}hyperparameters: \{.*\n/, ''],
      );
      await writeFile(join(folder, MODEL, 'train.py'), text);
    },
    async changes() {
      const text = await readFile(join(folder, '.slipway', 'requests.jsonl'), 'utf8').catch(() => '');
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as { changes: boolean; service: string; operation: string })
        .filter(({ changes }) => changes)
        .map(({ service, operation }) => `${service}.${operation}`);
    },
    remove: async () => await rm(parent, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** What every refusal has in common: its exit code, a sentence on standard error, and no stack of ours. */
export function expectRefusal(ran: Ran, exitCode: number, what: RegExp): void {
  expect(ran.stderr).toMatch(what);
  expect(ran.exitCode).toBe(exitCode);
  expect(ran.stderr).toMatch(/^error: /m);
  expect(ran.stderr).toContain('What to do:');
  expect(ran.stdout + ran.stderr).not.toMatch(/^\s+at .*\.js:\d+/m);
}
