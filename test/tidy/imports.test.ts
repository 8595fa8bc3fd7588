import { builtinModules } from 'node:module';
import { describe, expect, it } from 'vitest';
import { resolveRelative, typeScriptFiles, type SourceFile } from './source-files.ts';

/** What each package may import besides `node:` and itself. A rule that nothing uses any more fails, too. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  kit: ['@photostructure/sqlite'],
  server: ['@slipway/kit', '@slipway/runtimes', 'tar'],
  delivery: ['@aws-sdk/', 'tar', 'yaml', 'zod'],
  cli: ['@slipway/kit', '@slipway/delivery', '@slipway/server', 'commander', 'yaml'],
};

/** Packages that the server may use for types only. */
const SERVER_TYPES_ONLY = ['@aws-sdk/', '@smithy/'];

/** Only these folders of the cli know the server; the rest of it talks to an address. */
const KNOWS_SERVER = /^packages\/cli\/src\/(local|demo)\//;

const files = typeScriptFiles();
const shipped = files.filter((file) => /^packages\/\w+\/src\//.test(file.path) && !file.path.endsWith('.test.ts'));

function packageOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith('node:') || builtinModules.includes(specifier);
}

describe('imports', () => {
  it('stay within what each package may know', () => {
    const wrong: string[] = [];
    for (const file of shipped) {
      const allowed = ALLOWED[packageOf(file.path)] ?? [];
      for (const { specifier, typeOnly } of file.imports) {
        if (specifier.startsWith('.') || isBuiltin(specifier)) continue;
        const known = allowed.some((prefix) => specifier.startsWith(prefix));
        const types = packageOf(file.path) === 'server' && typeOnly;
        if (!known && !(types && SERVER_TYPES_ONLY.some((prefix) => specifier.startsWith(prefix)))) {
          wrong.push(`${file.path} imports ${specifier}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it('allow nothing that nobody uses', () => {
    const stale = Object.entries(ALLOWED).flatMap(([name, prefixes]) =>
      prefixes
        .filter((prefix) => !shipped.some((file) => packageOf(file.path) === name && usesPrefix(file, prefix)))
        .map((prefix) => `${name}: ${prefix}`),
    );
    expect(stale).toEqual([]);
  });

  it('reach another package by its name, never by a path', () => {
    const wrong = shipped.flatMap((file) =>
      file.imports
        .filter(({ specifier }) => specifier.startsWith('.'))
        .filter(({ specifier }) => packageOf(resolveRelative(file, specifier)) !== packageOf(file.path))
        .map(({ specifier }) => `${file.path} imports ${specifier}`),
    );
    expect(wrong).toEqual([]);
  });

  it('keep the server out of every file of the cli but the few that start it', () => {
    const wrong = shipped.filter(
      (file) => packageOf(file.path) === 'cli' && !KNOWS_SERVER.test(file.path) && usesPrefix(file, '@slipway/server'),
    );
    expect(wrong.map((file) => file.path)).toEqual([]);
  });

  it('make no circle between the folders of a package', () => {
    expect(circles(folderGraph())).toEqual([]);
  });

  it('keep one service from importing another', () => {
    const wrong = shipped.flatMap((file) => {
      const own = /^packages\/server\/src\/services\/([\w-]+)\//.exec(file.path)?.[1];
      if (own === undefined) return [];
      return file.imports
        .filter(({ specifier }) => specifier.startsWith('.'))
        .map(({ specifier }) => resolveRelative(file, specifier))
        .filter((path) => /^packages\/server\/src\/services\/[\w-]+\//.test(path))
        .filter((path) => !path.startsWith(`packages/server/src/services/${own}/`))
        .map((path) => `${file.path} imports ${path}`);
    });
    expect(wrong).toEqual([]);
  });
});

function usesPrefix(file: SourceFile, prefix: string): boolean {
  return (
    file.imports.some(({ specifier }) => specifier.startsWith(prefix)) || file.text.includes(`'${prefix}/package.json'`)
  );
}

/** Which top folder of a package's sources imports which; a file at the top is a room of its own. */
function folderGraph(): ReadonlyMap<string, ReadonlySet<string>> {
  const graph = new Map<string, Set<string>>();
  for (const file of shipped) {
    const from = roomOf(file.path);
    for (const { specifier } of file.imports) {
      if (!specifier.startsWith('.')) continue;
      const to = roomOf(resolveRelative(file, specifier));
      if (to !== from) graph.set(from, (graph.get(from) ?? new Set()).add(to));
    }
  }
  return graph;
}

function roomOf(path: string): string {
  const [, name, , first = '', second] = path.split('/');
  return second === undefined ? `${name}/${first}` : `${name}/${first}/`;
}

/** Every room that can reach itself, with the way round. */
function circles(graph: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  const found = new Set<string>();
  const visit = (room: string, way: readonly string[]): void => {
    const start = way.indexOf(room);
    if (start >= 0) {
      const circle = way.slice(start);
      const first = circle.indexOf([...circle].sort()[0] ?? '');
      found.add([...circle.slice(first), ...circle.slice(0, first), circle[first]].join(' → '));
      return;
    }
    for (const next of graph.get(room) ?? []) visit(next, [...way, room]);
  };
  for (const room of graph.keys()) visit(room, []);
  return [...found];
}
