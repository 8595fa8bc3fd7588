import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface SourceFile {
  /** Path from the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

export interface Import {
  /** The module as written. */
  readonly specifier: string;
  readonly typeOnly: boolean;
}

/** Files that belong to the repository, also those not committed yet. */
export function repositoryFiles(): readonly string[] {
  const out = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    cwd: ROOT,
    maxBuffer: 1 << 26,
  });
  return [...new Set(out.toString('utf8').split('\0').filter(Boolean))].filter(exists);
}

/** TypeScript files of the packages, tests and scripts, with their imports. */
export function typeScriptFiles(): readonly SourceFile[] {
  return repositoryFiles()
    .filter((path) => path.endsWith('.ts'))
    .map((path) => {
      const text = readFileSync(join(ROOT, path), 'utf8');
      return { path, text, imports: importsOf(text) };
    });
}

/** The repository path that a relative import of `file` names. */
export function resolveRelative(file: SourceFile, specifier: string): string {
  return normalize(join(dirname(file.path), specifier)).replaceAll('\\', '/');
}

const IMPORT =
  /^(?:import|export)\s+(?<type>type\s)?[^;'"]*?from\s+'(?<from>[^']+)'|^import\s+'(?<bare>[^']+)'|\bimport\('(?<dynamic>[^']+)'\)/gm;

function importsOf(text: string): readonly Import[] {
  return [...text.matchAll(IMPORT)].map((match) => ({
    specifier: match.groups?.['from'] ?? match.groups?.['bare'] ?? match.groups?.['dynamic'] ?? '',
    typeOnly: match.groups?.['type'] !== undefined,
  }));
}

function exists(path: string): boolean {
  try {
    readFileSync(join(ROOT, path));
    return true;
  } catch {
    return false;
  }
}
