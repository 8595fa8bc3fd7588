import fc from 'fast-check';
import type { Model, Ref, ScalarShape, Shape, StructureShape } from '../../packages/server/src/wire/model.ts';
import { toRegExp } from '../../packages/server/src/wire/patterns.ts';

/** Values that patterns take which fast-check cannot generate from (look-around, `\b`) or finds too rarely. */
const SAMPLES = [
  'a',
  'model',
  'a-1',
  'ab12CD',
  '7',
  '123456',
  '123456789012',
  'A1B2C3D4E5F6G7H8I9J0K1L2',
  '00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:',
  'arn:aws:sagemaker:us-east-1:123456789012:model/some-name',
  'arn:aws:cloudformation:us-east-1:123456789012:stack/Some-Stack/1',
  'https://example.com/template.yaml',
  's3://bucket/key/of/it',
  'ip-10-1-2-3.ec2.internal',
  '10.1.2.3',
  'v1.2_a',
  'results/output',
  'file.json',
];
const TEXTS = ['x', 'some text', 'q"uote\' <&> ]]>', 'Grüße 世界 😀', 'two\nlines\tand a tab', '%2F+&=;,/?#', '-0.5'];
const HEADER_TEXT = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;
const XML_TEXT = /^[\t\n\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;
const LONE_SURROGATE = /\p{Surrogate}/u;
const DEEPEST = 5;

/** Where a value stands in the message decides what it can be. */
export type Place = 'json' | 'xml' | 'form' | 'header' | 'uri' | 'query';

export interface GeneratorOptions {
  readonly model: Model;
  readonly random: () => number;
  readonly body: 'json' | 'xml' | 'form';
  /** Leaves a member out. */
  readonly skip?: (name: string, ref: Ref) => boolean;
  /** Members of the outermost structure that are never left out. */
  readonly always?: ReadonlySet<string>;
  /** The text of every value of a shape. */
  readonly texts?: ReadonlyMap<string, string>;
  /** Gives a member its value, for the few that clients compute with. */
  readonly fixed?: ReadonlyMap<string, unknown>;
}

/** Finding strings that fit a pattern is slow, so each pattern is done once. */
const pools = new Map<string, readonly string[]>();

/** Makes values that fit a model's shapes and their constraints, the same for the same random numbers. */
export class Generator {
  readonly #options: GeneratorOptions;

  constructor(options: GeneratorOptions) {
    this.#options = options;
  }

  structure(shape: StructureShape, depth = 0): Record<string, unknown> {
    const { model, random, skip, fixed, body, always } = this.#options;
    const value: Record<string, unknown> = {};
    let names = Object.keys(shape.members).filter((name) => skip?.(name, shape.members[name] as Ref) !== true);
    const isNeeded = (name: string): boolean =>
      shape.required?.includes(name) === true || isFixed(name) || (depth === 0 && always?.has(name) === true);
    const isFixed = (name: string): boolean => depth === 0 && fixed?.has(name) === true;
    const optional = depth > DEEPEST ? 0 : 0.75 / (depth + 1);
    if (shape.union === true) names = [names[Math.floor(random() * names.length)] as string];
    else names = names.filter((name) => isNeeded(name) || random() < optional);
    // A form says nothing of a structure without members, so the client could not have sent it.
    if (body === 'form' && names.length === 0 && depth > 0) names = Object.keys(shape.members).slice(0, 1);
    for (const name of names) {
      const ref = shape.members[name] as Ref;
      const target = model.shape(ref.shape);
      if (isFixed(name)) value[name] = fixed?.get(name);
      else if (depth < 40)
        value[name] = this.#any(ref.shape, placeOf(ref, shape, name, target, this.#options.body), depth + 1);
    }
    return value;
  }

  #any(name: string, place: Place, depth: number): unknown {
    const { model } = this.#options;
    const shape = model.shape(name);
    switch (shape.type) {
      case 'structure':
        return this.structure(shape, depth);
      case 'list': {
        return Array.from({ length: this.#count(shape, depth) }, () => this.#any(shape.member.shape, place, depth + 1));
      }
      case 'map': {
        const keys = Array.from({ length: this.#count(shape, depth) }, (_, index) => {
          const key = this.#any(shape.key.shape, place, depth + 1) as string;
          return place === 'header' ? `key-${index}` : key;
        });
        return Object.fromEntries(
          [...new Set(keys)].map((key) => [key, this.#any(shape.value.shape, place, depth + 1)]),
        );
      }
      default:
        return this.#options.texts?.get(name) ?? this.#scalar(shape, place);
    }
  }

  #count(shape: Shape, depth: number): number {
    const least = Math.max(shape.min ?? 0, 1);
    return Math.min(shape.max ?? Infinity, Math.max(least, Math.round(this.#options.random() * (depth > 3 ? 1 : 3))));
  }

  #scalar(shape: ScalarShape, place: Place): unknown {
    const { random } = this.#options;
    switch (shape.type) {
      case 'boolean':
        return random() < 0.5;
      case 'string':
        return this.#pick(shape.enum ?? this.#pool(shape, place));
      case 'blob': {
        const length = Math.min(shape.max ?? 40, Math.max(shape.min ?? 0, Math.floor(random() * 40) + 1));
        return Uint8Array.from({ length }, () => Math.floor(random() * 256));
      }
      case 'timestamp':
        // Whole seconds: botocore sends no fraction in JSON, and headers have none.
        return new Date(Math.floor(1_600_000_000 + random() * 2e8) * 1000);
      case 'integer':
      case 'long':
        return this.#number(shape, (low, high) => low + Math.floor(random() * (high - low + 1)));
      default:
        // A quarter is exact in both widths of floats.
        return this.#number(shape, (low, high) => low + Math.floor(random() * (high - low) * 4) / 4);
    }
  }

  #number(shape: ScalarShape, between: (low: number, high: number) => number): number {
    const low = shape.min ?? Math.min(-100, shape.max ?? 0);
    return between(low, Math.min(shape.max ?? Infinity, low + 1_000_000));
  }

  #pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.#options.random() * items.length)] as T;
  }

  #pool(shape: ScalarShape, place: Place): readonly string[] {
    const key = `${place} ${shape.min} ${shape.max} ${shape.pattern}`;
    const known = pools.get(key);
    if (known !== undefined) return known;
    const pool = poolFor(shape, place);
    if (pool.length === 0) throw new Error(`No sample fits ${JSON.stringify(shape)} in ${place}`);
    pools.set(key, pool);
    return pool;
  }
}

function poolFor(shape: ScalarShape, place: Place): readonly string[] {
  const regExp = shape.pattern === undefined ? undefined : toRegExp(shape.pattern);
  const fits = (text: string): boolean =>
    text.length >= (shape.min ?? 0) &&
    text.length <= (shape.max ?? 200) &&
    !LONE_SURROGATE.test(text) &&
    regExp?.test(text) !== false &&
    canStand(text, place);
  const filler = 'abcdefghijklmnop1234'.repeat(Math.ceil(Math.max(1, shape.min ?? 1) / 20));
  const candidates = [...SAMPLES, ...TEXTS, filler, filler.slice(0, shape.min ?? 1), filler.slice(0, shape.max)];
  if (regExp !== undefined) candidates.unshift(...matching(regExp));
  return [...new Set(candidates.filter(fits))].slice(0, 12);
}

function matching(regExp: RegExp): readonly string[] {
  try {
    return fc.sample(fc.stringMatching(regExp), { numRuns: 8, seed: 1 });
  } catch {
    return [];
  }
}

function canStand(text: string, place: Place): boolean {
  if (text === '__proto__') return false;
  if (place === 'json') return !text.startsWith('$');
  if (place === 'header') return HEADER_TEXT.test(text) && !text.includes(',') && !text.includes('"');
  // Clients and proxies normalise these away, or the URL ends there.
  if (place === 'uri') return text !== '' && !/(^|\/)\.{0,2}(\/|$)/.test(text);
  return XML_TEXT.test(text) && text !== '';
}

function placeOf(ref: Ref, parent: StructureShape, name: string, target: Shape, body: Place): Place {
  if (ref.location === 'header' || ref.location === 'headers') return 'header';
  if (ref.location === 'uri') return 'uri';
  if (ref.location === 'querystring') return 'query';
  return parent.payload === name && target.type === 'string' ? 'query' : body;
}
