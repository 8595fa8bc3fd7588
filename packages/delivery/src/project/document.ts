import { type Document, isAlias, isCollection, isMap, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import type { Problem } from './model.ts';

/** Larger files are not written by people. */
export const MAX_FILE_BYTES = 1024 * 1024;
/** How often aliases may unfold a node: enough for a shared block in fifty models, too little for a "billion laughs". */
const MAX_ALIAS_COUNT = 1000;
/** Levels of nesting; the schema needs ten. */
const MAX_DEPTH = 64;

export type Path = readonly (string | number)[];

/** A parsed file that remembers where each value stands. */
export interface SourceDocument {
  file: string;
  value: unknown;
  /** Where the value at `path` begins, or its key, or the nearest part of the path that exists. */
  position(path: Path, what: 'key' | 'value'): { line: number; column: number };
  /** The text of a scalar as written: `000000000000` where the value is 0. */
  text(path: Path): string | undefined;
}

export type ReadResult = { document: SourceDocument; problems: [] } | { document?: never; problems: Problem[] };

/** Finds a node by path, through aliases. */
function nodeAt(document: Document, path: Path): unknown {
  let node: unknown = document.contents;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    node = isCollection(node) ? node.get(step, true) : undefined;
  }
  return node;
}

function offsetOf(document: Document, path: Path, what: 'key' | 'value'): number {
  for (let length = path.length; length >= 0; length--) {
    const shorter = path.slice(0, length);
    if (length > 0 && (what === 'key' || length < path.length)) {
      let parent = nodeAt(document, shorter.slice(0, -1));
      if (isAlias(parent)) parent = parent.resolve(document);
      if (isMap(parent)) {
        const pair = parent.items.find(
          (item) => isScalar(item.key) && String(item.key.value) === String(shorter.at(-1)),
        );
        if (pair !== undefined && isPair(pair) && isScalar(pair.key) && pair.key.range) return pair.key.range[0];
      }
    }
    const node = nodeAt(document, shorter);
    const range = (node as { range?: [number, number, number] | null } | undefined)?.range;
    if (range) return range[0];
  }
  return 0;
}

/** Depth and well-formedness of keys, checked before anything walks the value recursively. */
function tooDeep(text: string): boolean {
  // Flow collections nest one level a character; block ones need a column or a dash of their own for each level, and a
  // few hundred of them the parser takes in its stride.
  let depth = 0;
  for (const character of text) {
    if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth = Math.max(0, depth - 1);
    if (depth > MAX_DEPTH) return true;
  }
  return /^(?: {500}|(?:- +){64})/m.test(text);
}

/** Reads YAML 1.2 (and so JSON): positions kept, duplicate keys and everything unusual rejected, all of it at once. */
export function readDocument(file: string, text: string): ReadResult {
  const at = (line: number, column: number, message: string, suggestion?: string): Problem => ({
    file,
    line,
    column,
    path: '',
    message,
    ...(suggestion === undefined ? {} : { suggestion }),
  });
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) return { problems: [at(1, 1, 'the file is larger than 1 MiB')] };
  if (tooDeep(text)) return { problems: [at(1, 1, `the file is nested more than ${MAX_DEPTH} levels deep`)] };
  const lines = new LineCounter();
  const document = parseDocument(text, { version: '1.2', uniqueKeys: true, prettyErrors: false, lineCounter: lines });
  const place = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const found = [...document.errors, ...document.warnings].map((error) => {
    const { line, column } = place(error.pos[0]);
    const duplicate = error.code === 'DUPLICATE_KEY';
    return duplicate
      ? at(line, column, 'this key stands twice in one map', 'remove one of the two')
      : at(line, column, `not readable as YAML: ${error.message}`);
  });
  if (found.length > 0) return { problems: found };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIAS_COUNT });
  } catch (error) {
    const bomb = error instanceof ReferenceError && /alias/i.test(error.message);
    const message = bomb ? 'its aliases unfold to too much' : `not readable: ${(error as Error).message}`;
    return { problems: [at(1, 1, message, bomb ? 'write the shared part out' : undefined)] };
  }
  return {
    problems: [],
    document: {
      file,
      value,
      position: (path, what) => place(offsetOf(document, path, what)),
      text: (path) => {
        const node = nodeAt(document, path);
        return isScalar(node) ? (node.source ?? String(node.value)) : undefined;
      },
    },
  };
}
