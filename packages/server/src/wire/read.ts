import { SerializationException } from './errors.ts';
import type { ListShape, MapShape, Model, Ref, ScalarShape, Shape, StructureShape } from './model.ts';
import { Violations, allConstraints, brokenConstraints, quote } from './violations.ts';

/** Deeper than any model needs; recursive shapes (S3 has none, SageMaker a few) stop here. */
const DEEPEST = 64;

/**
 * One value of a request that is not yet known to be of its shape: a piece of JSON, an XML element, a branch of a form,
 * a header. Each protocol's nodes answer what is there, and throw SerializationException where it has another type.
 */
export interface Node {
  /** Undefined where the member is absent (or null, where the protocol has null). */
  member(name: string, ref: Ref, shape: Shape): Node | undefined;
  /** Names that are there and that `shape` does not have. */
  unknown(shape: StructureShape): readonly string[];
  items(shape: ListShape): readonly (Node | undefined)[];
  entries(shape: MapShape): readonly (readonly [string, Node | undefined])[];
  scalar(shape: ScalarShape, ref: Ref): unknown;
}

/** Told of a member that no shape has; the pipeline logs each once. */
export type OnUnknown = (path: string) => void;

export interface Read {
  readonly value: Record<string, unknown>;
  /** AWS's sentence about everything that breaks a constraint, or undefined when nothing does. */
  readonly violations: string | undefined;
}

/**
 * The walker: one pass over a request's tree along the model that parses, checks types and validates. Types are errors
 * at once (the service could not read the request); broken constraints are collected, as AWS lists all of them.
 *
 * @throws SerializationException for a wrong type, with AWS's words and the member's path
 */
export function read(model: Model, ref: Ref, root: Node, onUnknown: OnUnknown): Read {
  const violations = new Violations();
  const value = new Walk(model, violations, onUnknown).structure(model.structure(ref.shape), root, '', 0);
  return { value, violations: violations.message };
}

/** SageMaker prints `TrainingJobName` as `trainingJobName`: the bean property behind it. */
const beanName = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);
const joined = (path: string, step: string): string => (path === '' ? step : `${path}.${step}`);

class Walk {
  readonly #model: Model;
  readonly #violations: Violations;
  readonly #onUnknown: OnUnknown;

  constructor(model: Model, violations: Violations, onUnknown: OnUnknown) {
    this.#model = model;
    this.#violations = violations;
    this.#onUnknown = onUnknown;
  }

  structure(shape: StructureShape, node: Node, path: string, depth: number): Record<string, unknown> {
    if (depth > DEEPEST) throw new SerializationException(`The request is nested more than ${DEEPEST} levels deep`);
    const value: Record<string, unknown> = {};
    for (const [name, ref] of Object.entries(shape.members)) {
      const memberPath = joined(path, beanName(name));
      const memberShape = this.#model.shape(ref.shape);
      const inner = located(memberPath, () => node.member(name, ref, memberShape));
      if (inner !== undefined) value[name] = this.#any(memberShape, ref, inner, memberPath, depth + 1);
      else if (shape.required?.includes(name) === true) {
        this.#violations.add('null', memberPath, 'Member must not be null');
      }
    }
    for (const name of located(path, () => node.unknown(shape))) this.#onUnknown(joined(path, name));
    return value;
  }

  #any(shape: Shape, ref: Ref, node: Node, path: string, depth: number): unknown {
    const value = this.#read(shape, ref, node, path, depth);
    for (const clause of brokenConstraints(this.#model, shape, shape.type === 'structure' ? undefined : value)) {
      this.#violations.add(quote(value, shape), path, clause);
    }
    return value;
  }

  #read(shape: Shape, ref: Ref, node: Node, path: string, depth: number): unknown {
    switch (shape.type) {
      case 'structure':
        return this.structure(shape, node, path, depth);
      case 'list':
        return this.#list(shape, node, path, depth);
      case 'map':
        return this.#map(shape, node, path, depth);
      default:
        return located(path, () => node.scalar(shape, ref));
    }
  }

  #list(shape: ListShape, node: Node, path: string, depth: number): unknown[] {
    if (depth > DEEPEST) throw new SerializationException(`The request is nested more than ${DEEPEST} levels deep`);
    const memberShape = this.#model.shape(shape.member.shape);
    const items = located(path, () => node.items(shape));
    const nested = memberShape.type === 'structure' || memberShape.type === 'list' || memberShape.type === 'map';
    let broken = false;
    const values = items.map((item, index) => {
      const itemPath = `${path}.${index + 1}.member`;
      if (item === undefined) {
        this.#violations.add('null', itemPath, 'Member must not be null');
        return undefined;
      }
      if (nested) return this.#any(memberShape, shape.member, item, itemPath, depth + 1);
      const value = this.#read(memberShape, shape.member, item, itemPath, depth + 1);
      broken ||= brokenConstraints(this.#model, memberShape, value).length > 0;
      return value;
    });
    if (broken) {
      const constraint = `Member must satisfy constraint: ${allConstraints(memberShape)}`;
      this.#violations.add(quote(values, memberShape), path, constraint);
    }
    return values;
  }

  #map(shape: MapShape, node: Node, path: string, depth: number): Record<string, unknown> {
    if (depth > DEEPEST) throw new SerializationException(`The request is nested more than ${DEEPEST} levels deep`);
    const keyShape = this.#model.shape(shape.key.shape);
    const valueShape = this.#model.shape(shape.value.shape);
    const nested = valueShape.type === 'structure' || valueShape.type === 'list' || valueShape.type === 'map';
    // Keys are the client's words: without a prototype, `__proto__` and `constructor` are keys like any other.
    const values = Object.create(null) as Record<string, unknown>;
    let brokenKey = false;
    let brokenValue = false;
    for (const [key, inner] of located(path, () => node.entries(shape))) {
      const valuePath = `${path}.${key}.member`;
      brokenKey ||= brokenConstraints(this.#model, keyShape, key).length > 0;
      if (inner === undefined) {
        this.#violations.add('null', valuePath, 'Member must not be null');
      } else if (nested) {
        values[key] = this.#any(valueShape, shape.value, inner, valuePath, depth + 1);
      } else {
        values[key] = this.#read(valueShape, shape.value, inner, valuePath, depth + 1);
        brokenValue ||= brokenConstraints(this.#model, valueShape, values[key]).length > 0;
      }
    }
    if (brokenKey) {
      this.#violations.add(
        quote(values, valueShape),
        path,
        `Map keys must satisfy constraint: ${allConstraints(keyShape)}`,
      );
    }
    if (brokenValue) {
      const constraint = `Map value must satisfy constraint: ${allConstraints(valueShape)}`;
      this.#violations.add(quote(values, valueShape), path, constraint);
    }
    return values;
  }
}

/** Adds the member's path to a type error: AWS's sentence alone does not say where. */
function located<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SerializationException) || path === '') throw error;
    throw new SerializationException(`${error.message} at '${path}'`);
  }
}
