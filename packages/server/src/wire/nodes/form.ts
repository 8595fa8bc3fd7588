import { AwsError, SerializationException } from '../errors.ts';
import type { ListShape, MapShape, Ref, ScalarShape, Shape, StructureShape } from '../model.ts';
import type { Node } from '../read.ts';
import { parseText } from './scalars.ts';

const MOST_PARAMETERS = 20_000;
const MOST_SEGMENTS = 64;

/** A form's parameters as a tree: `Tags.member.1.Key=a` is the path Tags, member, 1, Key. */
interface Branch {
  text: string | undefined;
  readonly children: Map<string, Branch>;
}
const newBranch = (): Branch => ({ text: undefined, children: new Map() });

class MalformedForm extends AwsError {
  constructor(detail: string) {
    super('MalformedQueryString', 404, `The query string is malformed: ${detail}`);
  }
}

/** Decodes one `application/x-www-form-urlencoded` component. */
export function decodeFormText(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new MalformedForm('a percent sequence is not UTF-8');
  }
}

/** @returns the tree and its top-level text parameters (Action, Version) */
export function parseForm(body: string): { node: Node; parameter(name: string): string | undefined } {
  const root = newBranch();
  const pairs = body.split('&', MOST_PARAMETERS + 1);
  if (pairs.length > MOST_PARAMETERS) throw new MalformedForm('it has too many parameters');
  for (const pair of pairs) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decodeFormText(equals === -1 ? pair : pair.slice(0, equals));
    const segments = name.split('.', MOST_SEGMENTS + 1);
    if (segments.length > MOST_SEGMENTS) throw new MalformedForm('a parameter is nested too deeply');
    let branch = root;
    for (const segment of segments) {
      const next = branch.children.get(segment) ?? newBranch();
      branch.children.set(segment, next);
      branch = next;
    }
    branch.text = equals === -1 ? '' : decodeFormText(pair.slice(equals + 1));
  }
  return { node: new FormNode(root, false), parameter: (name) => root.children.get(name)?.text };
}

/** Every form carries these beside the operation's members. */
const ENVELOPE = new Set(['Action', 'Version']);

class FormNode implements Node {
  readonly #branch: Branch;
  readonly #flattened: boolean;

  constructor(branch: Branch, flattened: boolean) {
    this.#branch = branch;
    this.#flattened = flattened;
  }

  member(name: string, ref: Ref, shape: Shape): Node | undefined {
    const branch = this.#branch.children.get(wireName(name, ref, shape));
    return branch === undefined ? undefined : new FormNode(branch, isFlattened(ref, shape));
  }

  unknown(shape: StructureShape): readonly string[] {
    if (this.#branch.children.size === 0 && (this.#branch.text ?? '') !== '') {
      throw new SerializationException('STRING_VALUE can not be converted to a structure');
    }
    const known = new Set(Object.entries(shape.members).flatMap(([name, ref]) => [name, ref.locationName ?? name]));
    return [...this.#branch.children.keys()].filter((name) => !known.has(name) && !ENVELOPE.has(name));
  }

  items(shape: ListShape): readonly Node[] {
    const name = shape.member.locationName ?? 'member';
    const holder = this.#flattened ? this.#branch : this.#branch.children.get(name);
    return holder === undefined ? [] : numbered(holder).map((branch) => new FormNode(branch, false));
  }

  entries(shape: MapShape): readonly (readonly [string, Node | undefined])[] {
    const holder = this.#flattened ? this.#branch : this.#branch.children.get('entry');
    if (holder === undefined) return [];
    return numbered(holder).map((branch) => {
      const key = branch.children.get(shape.key.locationName ?? 'key')?.text;
      if (key === undefined) throw new SerializationException('A map entry has no key');
      const value = branch.children.get(shape.value.locationName ?? 'value');
      return [key, value === undefined ? undefined : new FormNode(value, false)] as const;
    });
  }

  scalar(shape: ScalarShape, ref: Ref): unknown {
    if (this.#branch.text === undefined) {
      throw new SerializationException('Start of structure or map found where not expected');
    }
    return parseText(this.#branch.text, shape, ref.timestampFormat ?? 'iso8601');
  }
}

const isFlattened = (ref: Ref, shape: Shape): boolean => ref.flattened === true || shape.flattened === true;

/** A flattened list goes by its member's name where that has one. */
function wireName(name: string, ref: Ref, shape: Shape): string {
  if (shape.type === 'list' && isFlattened(ref, shape) && shape.member.locationName !== undefined) {
    return shape.member.locationName;
  }
  return ref.locationName ?? name;
}

/** The branches 1, 2, 3, … in the order of their numbers; gaps close, as AWS reads them. */
function numbered(holder: Branch): Branch[] {
  const found: [number, Branch][] = [];
  for (const [name, branch] of holder.children) {
    if (!/^[1-9]\d{0,8}$/.test(name)) throw new SerializationException(`'${name.slice(0, 32)}' is not a list index`);
    found.push([Number(name), branch]);
  }
  return found.sort(([a], [b]) => a - b).map(([, branch]) => branch);
}
