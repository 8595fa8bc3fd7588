import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@slipway/kit/errors';

/** One row of the user's image table: which container contract runs an image of theirs. */
export interface ImageEntry {
  readonly framework: 'xgboost' | 'sklearn' | 'python';
  readonly version: string;
}

const FRAMEWORKS = ['xgboost', 'sklearn', 'python'];

/**
 * Reads the project's `images.yaml`: image URI patterns (`*` stands for anything) to the contract that runs them.
 *
 * @throws UserError naming the entry that is wrong
 */
export async function readImages(project: string): Promise<Readonly<Record<string, ImageEntry>>> {
  const file = join(project, 'images.yaml');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
  const { parseYaml } = await import('./parse-yaml.ts');
  let parsed: unknown;
  try {
    parsed = parseYaml(text, { maxAliasCount: 10 }) ?? {};
  } catch (error) {
    throw wrong(file, error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));
  }
  if (typeof parsed !== 'object' || Array.isArray(parsed)) throw wrong(file, 'it is not a mapping');
  const images: Record<string, ImageEntry> = Object.create(null) as Record<string, ImageEntry>;
  for (const [pattern, entry] of Object.entries(parsed as Record<string, unknown>)) {
    const { framework, version } = (entry ?? {}) as Record<string, unknown>;
    if (typeof framework !== 'string' || !FRAMEWORKS.includes(framework)) {
      throw wrong(file, `\`${pattern}\` needs \`framework\`, one of ${FRAMEWORKS.join(', ')}`);
    }
    images[pattern] = {
      framework: framework as ImageEntry['framework'],
      version: typeof version === 'string' || typeof version === 'number' ? String(version) : 'latest',
    };
  }
  return images;
}

function wrong(file: string, why: string): UserError {
  return new UserError({
    what: `${file} cannot be used: ${why}.`,
    next: 'Write one entry for each image, for example\n\n"*/my-xgboost:*": { framework: xgboost, version: 1.7-1 }',
  });
}
