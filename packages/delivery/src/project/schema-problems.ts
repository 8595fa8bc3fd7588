import type { z } from 'zod';
import type { Path, SourceDocument } from './document.ts';
import type { Problem } from './model.ts';
import { nearest } from './nearest.ts';
import type { JsonSchema } from './published.ts';

/** `train.hyperparameters.eta`, `inputs[2]`. */
export function pathText(path: Path): string {
  return path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  );
}

export function problemAt(
  document: SourceDocument,
  path: Path,
  what: 'key' | 'value',
  message: string,
  suggestion?: string,
): Problem {
  const place = document.position(path, what);
  return {
    file: document.file,
    line: place.line,
    column: place.column,
    path: pathText(path),
    message,
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, step) =>
      at !== null && typeof at === 'object' && Object.hasOwn(at, step)
        ? (at as Record<string, unknown>)[step]
        : undefined,
    value,
  );
}

/** The keys that the schema knows at a path: from the same JSON Schema that is published. */
export function keysAt(schema: JsonSchema, path: Path): string[] {
  let nodes: JsonSchema[] = [schema];
  const inside = (node: JsonSchema, step: string | number): (JsonSchema | boolean | undefined)[] => [
    typeof step === 'number' ? node.items : (node.properties?.[step] ?? node.additionalProperties),
  ];
  const spread = (node: JsonSchema): JsonSchema[] => [node, ...(node.anyOf ?? []).flatMap(spread)];
  for (const step of path) {
    nodes = nodes
      .flatMap(spread)
      .flatMap((node) => inside(node, step))
      .filter((node): node is JsonSchema => typeof node === 'object');
  }
  return [...new Set(nodes.flatMap(spread).flatMap((node) => Object.keys(node.properties ?? {})))];
}

function kindOf(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a map' : `a ${typeof value}`;
}

const EXPECTED: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'a map of keys',
  record: 'a map of keys',
};

function wrongType(document: SourceDocument, issue: { expected: string }, path: Path): Problem {
  const value = valueAt(document.value, path);
  const expected = EXPECTED[issue.expected] ?? issue.expected;
  if (value === undefined) {
    const key = pathText(path.slice(-1));
    return problemAt(document, path, 'value', `${key} is missing`, `add ${key}: it must be ${expected}`);
  }
  const message = `must be ${expected}, not ${kindOf(value)}`;
  const written = document.text(path);
  // An account such as 000000000000 is a number to YAML, and loses its zeros.
  const quoted = issue.expected === 'string' && typeof value !== 'object' && written !== undefined;
  return problemAt(document, path, 'value', message, quoted ? `put it in quotes: "${written}"` : undefined);
}

function notOneOf(document: SourceDocument, values: readonly unknown[], path: Path): Problem {
  const value = valueAt(document.value, path);
  if (value === undefined) return wrongType(document, { expected: `one of ${values.join(', ')}` }, path);
  const meant = typeof value === 'string' ? nearest(value, values.map(String)) : undefined;
  const message = `must be ${values.length === 1 ? '' : 'one of '}${values.join(', ')}`;
  return problemAt(document, path, 'value', message, meant === undefined ? undefined : `did you mean ${meant}?`);
}

function unknownKeys(document: SourceDocument, schema: JsonSchema, keys: readonly string[], path: Path): Problem[] {
  const known = keysAt(schema, path);
  return keys.map((key) => {
    const meant = nearest(key, known);
    const suggestion = meant === undefined ? `known here: ${known.join(', ')}` : `did you mean ${meant}?`;
    return problemAt(document, [...path, key], 'key', `unknown key ${key}`, suggestion);
  });
}

/** The branch of a union that comes nearest: the one whose first complaint lies deepest, not the union as a whole. */
function unionProblems(document: SourceDocument, schema: JsonSchema, issue: z.core.$ZodIssueInvalidUnion, path: Path) {
  const deeper = issue.errors.find((branch) => branch.length > 0 && branch.every((inner) => inner.path.length > 0));
  const inner = deeper?.flatMap((one) => fromIssue(document, schema, one, path));
  return inner ?? [problemAt(document, path, 'value', issue.message)];
}

function fromIssue(document: SourceDocument, schema: JsonSchema, issue: z.core.$ZodIssue, base: Path): Problem[] {
  const path = [...base, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
  switch (issue.code) {
    case 'unrecognized_keys':
      return unknownKeys(document, schema, issue.keys, path);
    case 'invalid_type':
      return [wrongType(document, issue, path)];
    case 'invalid_value':
      return [notOneOf(document, issue.values, path)];
    case 'invalid_union':
      return unionProblems(document, schema, issue, path);
    case 'invalid_key':
      return [
        problemAt(document, path, 'key', `the name ${path.at(-1)} ${issue.issues[0]?.message ?? 'is not valid'}`),
      ];
    case 'too_big':
    case 'too_small': {
      const bound = issue.code === 'too_big' ? issue.maximum : issue.minimum;
      const side = issue.code === 'too_big' ? (issue.inclusive === false ? 'less than' : 'at most') : atLeast(issue);
      const unit = issue.origin === 'string' ? ' characters long' : issue.origin === 'array' ? ' entries long' : '';
      return [problemAt(document, path, 'value', `must be ${side} ${bound}${unit}`)];
    }
    default:
      return [problemAt(document, path, 'value', issue.message)];
  }
}

function atLeast(issue: z.core.$ZodIssueTooSmall): string {
  return issue.inclusive === false ? 'more than' : 'at least';
}

/** All that is wrong with a document, in the order of its lines. */
export function schemaProblems(
  document: SourceDocument,
  schema: JsonSchema,
  issues: readonly z.core.$ZodIssue[],
): Problem[] {
  return issues.flatMap((issue) => fromIssue(document, schema, issue, []));
}
