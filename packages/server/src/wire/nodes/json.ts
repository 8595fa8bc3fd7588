import { SerializationException } from '../errors.ts';
import type { ListShape, MapShape, Ref, ScalarShape, StructureShape } from '../model.ts';
import type { Node } from '../read.ts';
import { checkedNumber, instantFromSeconds, parseBase64, parseTimestamp, specialNumber, wrongType } from './scalars.ts';

/** Decodes strictly: bytes that are not UTF-8 are not JSON. */
const utf8 = (body: Uint8Array): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new SerializationException('The request body is not valid UTF-8');
  }
};

/**
 * @param body an empty one is an empty structure, as AWS takes it
 * @throws SerializationException for anything but one JSON object
 */
export function parseJson(body: Uint8Array): Node {
  const text = utf8(body);
  if (text.trim() === '') return new JsonNode({});
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new SerializationException('The request body is not valid JSON');
  }
  asObject(value);
  return new JsonNode(value);
}

function asObject(value: unknown): Record<string, unknown> {
  if (Array.isArray(value)) throw new SerializationException('Start of list found where not expected');
  if (typeof value !== 'object' || value === null) {
    throw new SerializationException('Expected structure or map or null');
  }
  return value as Record<string, unknown>;
}

class JsonNode implements Node {
  readonly #value: unknown;

  constructor(value: unknown) {
    this.#value = value;
  }

  member(name: string, ref: Ref): Node | undefined {
    const object = asObject(this.#value);
    const key = ref.locationName ?? name;
    return Object.hasOwn(object, key) ? nodeOf(object[key]) : undefined;
  }

  unknown(shape: StructureShape): readonly string[] {
    const known = new Set(Object.entries(shape.members).map(([name, ref]) => ref.locationName ?? name));
    return Object.keys(asObject(this.#value)).filter((key) => !known.has(key) && key !== '__type');
  }

  items(_shape: ListShape): readonly (Node | undefined)[] {
    if (!Array.isArray(this.#value)) {
      if (typeof this.#value === 'object') {
        throw new SerializationException('Start of structure or map found where not expected');
      }
      throw new SerializationException('Expected list or null');
    }
    return this.#value.map(nodeOf);
  }

  entries(_shape: MapShape): readonly (readonly [string, Node | undefined])[] {
    return Object.entries(asObject(this.#value)).map(([key, value]) => [key, nodeOf(value)] as const);
  }

  scalar(shape: ScalarShape, ref: Ref): unknown {
    const value = this.#value;
    if (Array.isArray(value)) throw new SerializationException('Start of list found where not expected');
    if (typeof value === 'object') {
      throw new SerializationException('Start of structure or map found where not expected');
    }
    switch (shape.type) {
      case 'string':
        if (typeof value === 'string') return value;
        throw wrongType(value, 'String');
      case 'boolean':
        if (typeof value === 'boolean') return value;
        throw wrongType(value, 'Boolean');
      case 'blob':
        if (typeof value === 'string') return parseBase64(value);
        throw wrongType(value, 'Blob');
      case 'timestamp':
        return timestamp(value, shape, ref);
      default:
        return number(value, shape.type);
    }
  }
}

function number(value: unknown, type: 'integer' | 'long' | 'float' | 'double'): number {
  if (typeof value === 'number') return checkedNumber(value, type);
  if (typeof value === 'string' && (type === 'float' || type === 'double')) {
    const special = specialNumber(value);
    if (special !== undefined) return special;
  }
  throw wrongType(value, { integer: 'Integer', long: 'Long', float: 'Float', double: 'Double' }[type]);
}

/** Epoch seconds with a fraction; the few members that the model formats otherwise arrive as text. */
function timestamp(value: unknown, shape: ScalarShape, ref: Ref): Date {
  if (typeof value === 'number') return instantFromSeconds(value);
  const format = ref.timestampFormat ?? shape.timestampFormat;
  if (typeof value === 'string' && format !== undefined && format !== 'unixTimestamp') {
    return parseTimestamp(value, format);
  }
  throw wrongType(value, 'a timestamp');
}

const nodeOf = (value: unknown): Node | undefined =>
  value === null || value === undefined ? undefined : new JsonNode(value);
