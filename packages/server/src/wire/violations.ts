import type { Model, ScalarShape, Shape } from './model.ts';
import { LONGEST_MATCHED } from './patterns.ts';

/** A value is quoted in a message up to this many characters. */
const LONGEST_QUOTED = 1024;
/** Further violations are counted in the message but not spelled out. */
const MOST_SPELLED_OUT = 50;

/**
 * Collects what is wrong with a request, in the order of the walk, and words it as AWS does: `2 validation errors
 * detected: Value 'x' at 'trainingJobName' failed to satisfy constraint: …; Value null at 'roleArn' failed …`.
 */
export class Violations {
  readonly #sentences: string[] = [];
  #count = 0;

  /** @param quoted the value as it is printed, quotes included, or empty for a sensitive one */
  add(quoted: string, path: string, constraint: string): void {
    this.#count += 1;
    if (this.#sentences.length >= MOST_SPELLED_OUT) return;
    const value = quoted === '' ? 'Value' : `Value ${quoted}`;
    this.#sentences.push(`${value} at '${path}' failed to satisfy constraint: ${constraint}`);
  }

  get message(): string | undefined {
    if (this.#count === 0) return undefined;
    const errors = this.#count === 1 ? 'error' : 'errors';
    return `${this.#count} validation ${errors} detected: ${this.#sentences.join('; ')}`;
  }
}

/** The value between single quotes as Java prints it: lists as `[a, b]`, maps and structures as `{k=v}`. */
export function quote(value: unknown, shape: Shape): string {
  if (shape.sensitive === true) return '';
  const text = javaString(value);
  return `'${text.length > LONGEST_QUOTED ? `${text.slice(0, LONGEST_QUOTED)}…` : text}'`;
}

function javaString(value: unknown): string {
  if (Array.isArray(value)) return `[${value.slice(0, 100).map(javaString).join(', ')}]`;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `java.nio.HeapByteBuffer[pos=0 lim=${value.length} cap=${value.length}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).slice(0, 100);
    return `{${entries.map(([key, inner]) => `${key}=${javaString(inner)}`).join(', ')}}`;
  }
  return String(value);
}

function sizeOf(value: unknown): number | undefined {
  if (typeof value === 'string' || value instanceof Uint8Array || Array.isArray(value)) return value.length;
  if (typeof value === 'object' && value !== null && !(value instanceof Date)) return Object.keys(value).length;
  return undefined;
}

/** The constraints of `shape` that `value` breaks, each as AWS's clause "Member must …". */
export function brokenConstraints(model: Model, shape: Shape, value: unknown): string[] {
  const broken: string[] = [];
  const measured = typeof value === 'number' ? value : sizeOf(value);
  const noun = typeof value === 'number' ? 'value' : 'length';
  if (measured !== undefined) {
    if (shape.max !== undefined && measured > shape.max) {
      broken.push(`Member must have ${noun} less than or equal to ${shape.max}`);
    }
    if (shape.min !== undefined && measured < shape.min) {
      broken.push(`Member must have ${noun} greater than or equal to ${shape.min}`);
    }
  }
  if (typeof value === 'string') broken.push(...brokenText(model, shape as ScalarShape, value));
  return broken;
}

function brokenText(model: Model, shape: ScalarShape, value: string): string[] {
  const broken: string[] = [];
  if (shape.pattern !== undefined && value.length <= LONGEST_MATCHED && !model.pattern(shape.pattern)?.test(value)) {
    if (model.pattern(shape.pattern) !== undefined) {
      broken.push(`Member must satisfy regular expression pattern: ${shape.pattern}`);
    }
  }
  if (shape.enum !== undefined && !shape.enum.includes(value)) {
    broken.push(`Member must satisfy enum value set: [${shape.enum.join(', ')}]`);
  }
  return broken;
}

/** All constraints of a scalar, for the summary that AWS prints about list members and map keys. */
export function allConstraints(shape: Shape): string {
  const clauses: string[] = [];
  const noun = shape.type === 'string' || shape.type === 'blob' ? 'length' : 'value';
  if (shape.max !== undefined) clauses.push(`Member must have ${noun} less than or equal to ${shape.max}`);
  if (shape.min !== undefined) clauses.push(`Member must have ${noun} greater than or equal to ${shape.min}`);
  if ('pattern' in shape) clauses.push(`Member must satisfy regular expression pattern: ${shape.pattern}`);
  if ('enum' in shape && shape.enum !== undefined) {
    clauses.push(`Member must satisfy enum value set: [${shape.enum.join(', ')}]`);
  }
  return `[${clauses.join(', ')}]`;
}
