import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT, repositoryFiles, typeScriptFiles } from './source-files.ts';

/** Files over 400 lines, each with its reason. This list may only shrink; nothing is ever over 800. */
const LONG_FILES: Readonly<Record<string, string>> = {};

const files = typeScriptFiles();
const shipped = files.filter((file) => /^packages\/\w+\/src\//.test(file.path) && !file.path.endsWith('.test.ts'));
const text = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

describe('the house rules', () => {
  it('keep files short enough to read', () => {
    const long = repositoryFiles()
      .filter((path) => /\.(ts|py)$/.test(path))
      .map((path) => ({ path, lines: text(path).split('\n').length }))
      .filter(({ lines }) => lines > 400);
    expect(long.filter(({ path, lines }) => !(path in LONG_FILES) || lines > 800)).toEqual([]);
    const stale = Object.keys(LONG_FILES).filter((path) => !long.some((file) => file.path === path));
    expect(stale).toEqual([]);
  });

  it('name files in kebab case (Python’s in snake case)', () => {
    const wrong = repositoryFiles().filter(
      (path) =>
        (path.endsWith('.ts') && !/^[a-z0-9-]+(\.test|\.config)?\.ts$/.test(basename(path))) ||
        (path.startsWith('packages/runtimes/') && path.endsWith('.py') && !/^[a-z0-9_]+\.py$/.test(basename(path))),
    );
    expect(wrong).toEqual([]);
  });

  it('read the process’s environment in one file only', () => {
    const wrong = shipped.filter(
      ({ path, text: source }) => /process\.env\b/.test(source) && path !== 'packages/cli/src/main.ts',
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it('take the time from the kit', () => {
    const wrong = shipped
      .filter(({ path }) => !path.startsWith('packages/kit/src/'))
      .filter(({ text: source }) => /\bDate\.now\(|new Date\(\)|\bset(Timeout|Interval)\(/.test(source));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it('have no catch-all rooms and no barrels', () => {
    const rooms = repositoryFiles().filter((path) => /\/(utils?|helpers?|common|misc)(\/|\.ts$)/.test(path));
    const barrels = shipped.filter(({ text: source }) => /^export \*/m.test(source)).map(({ path }) => path);
    expect([...rooms, ...barrels]).toEqual([]);
  });

  it('let no type escape', () => {
    const wrong = shipped.filter(({ text: source }) => /\bas any\b|: any\b|<any>|@ts-(ignore|nocheck)/.test(source));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it('name no machine path and no registry', () => {
    const forbidden = [
      ['/wo', 'rk/'],
      ['registry.', 'npmjs'],
      ['pypi', '.org'],
      ['files.python', 'hosted'],
    ].map((parts) => parts.join(''));
    const wrong = repositoryFiles()
      .filter((path) => !/\.(png|gz)$/.test(path))
      .filter((path) => forbidden.some((word) => text(path).includes(word)));
    expect(wrong).toEqual([]);
  });

  it('link only to documents that exist', () => {
    const known = new Set(repositoryFiles());
    const broken = repositoryFiles()
      .filter((path) => path.endsWith('.md'))
      .flatMap((path) =>
        [...text(path).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
          .map((match) => join(dirname(path), match[1] ?? ''))
          .filter((target) => !known.has(target) && ![...known].some((file) => file.startsWith(`${target}/`)))
          .map((target) => `${path} → ${target}`),
      );
    expect(broken).toEqual([]);
  });
});
