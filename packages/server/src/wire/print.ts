import { Readable } from 'node:stream';
import type { ListShape, MapShape, Model, Ref, ScalarShape, StructureShape } from './model.ts';
import { printTimestamp } from './nodes/scalars.ts';
import { escapeXml } from './nodes/xml.ts';

/** How one protocol puts values together; `T` is a piece of its document. */
export interface Printer<T> {
  structure(members: readonly (readonly [string, Ref, T])[], shape: StructureShape, ref: Ref): T;
  list(items: readonly T[], shape: ListShape, ref: Ref): T;
  map(entries: readonly (readonly [string, T])[], shape: MapShape, ref: Ref): T;
  scalar(value: string | number | boolean | Date | Uint8Array, shape: ScalarShape, ref: Ref): T;
}

/** An answer that does not fit its model is a bug of a handler: the client gets InternalFailure, the log this. */
export class AnswerError extends Error {
  constructor(path: string, problem: string) {
    super(`The answer does not fit its model: ${path === '' ? 'the answer' : path} ${problem}`);
    this.name = 'AnswerError';
  }
}

/**
 * The walker's other direction: prints a handler's answer by the shape that the model gives it.
 *
 * @param skip members of the outermost structure that are printed elsewhere (headers, the status)
 * @throws AnswerError for a member the model does not have, or a value of another type
 */
export function print<T>(
  model: Model,
  ref: Ref,
  value: unknown,
  printer: Printer<T>,
  skip: (name: string, ref: Ref) => boolean = () => false,
  path = '',
): T {
  const shape = model.shape(ref.shape);
  const inner = (innerRef: Ref, innerValue: unknown, step: string | number): T =>
    print(model, innerRef, innerValue, printer, undefined, path === '' ? String(step) : `${path}.${step}`);
  switch (shape.type) {
    case 'structure': {
      const members: (readonly [string, Ref, T])[] = [];
      for (const [name, memberValue] of membersOf(value, shape, path)) {
        const member = shape.members[name] as Ref;
        if (!skip(name, member)) members.push([name, member, inner(member, memberValue, name)]);
      }
      return printer.structure(members, shape, ref);
    }
    case 'list': {
      if (!Array.isArray(value)) throw new AnswerError(path, 'is not a list');
      return printer.list(
        value.map((item, index) => inner(shape.member, item, index)),
        shape,
        ref,
      );
    }
    case 'map': {
      if (!isRecord(value)) throw new AnswerError(path, 'is not a map');
      const entries = Object.entries(value).filter(([, item]) => item !== undefined);
      return printer.map(
        entries.map(([key, item]) => [key, inner(shape.value, item, key)] as const),
        shape,
        ref,
      );
    }
    default:
      return printer.scalar(checkedScalar(value, shape, path), shape, ref);
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

/** The members that are there, in the model's order. `$metadata` is what official clients' types add. */
export function membersOf(value: unknown, shape: StructureShape, path: string): (readonly [string, unknown])[] {
  if (!isRecord(value) || value instanceof Uint8Array) throw new AnswerError(path, 'is not a structure');
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(shape.members, name) && name !== '$metadata' && value[name] !== undefined) {
      throw new AnswerError(path === '' ? name : `${path}.${name}`, 'is no member of the shape');
    }
  }
  return Object.keys(shape.members)
    .filter((name) => value[name] !== undefined)
    .map((name) => [name, value[name]] as const);
}

/** @throws AnswerError */
export function checkedScalar(
  value: unknown,
  shape: ScalarShape,
  path: string,
): string | number | boolean | Date | Uint8Array {
  switch (shape.type) {
    case 'string':
      if (typeof value === 'string') return value;
      break;
    case 'boolean':
      if (typeof value === 'boolean') return value;
      break;
    case 'integer':
    case 'long':
      if (Number.isInteger(value)) return value as number;
      break;
    case 'float':
    case 'double':
      if (typeof value === 'number') return value;
      break;
    case 'timestamp':
      if (value instanceof Date && !Number.isNaN(value.getTime())) return value;
      break;
    case 'blob':
      if (value instanceof Uint8Array) return value;
      if (typeof value === 'string') return Buffer.from(value);
      break;
  }
  throw new AnswerError(path, `is not a ${shape.type} but ${value instanceof Readable ? 'a stream' : typeof value}`);
}

/** Prints JSON values; a timestamp is epoch seconds as a number with a fraction. */
export const jsonPrinter: Printer<unknown> = {
  // Object.fromEntries defines own properties, so a key `__proto__` stays a key.
  structure: (members) => Object.fromEntries(members.map(([name, ref, value]) => [ref.locationName ?? name, value])),
  list: (items) => items,
  map: (entries) => Object.fromEntries(entries),
  scalar(value, shape, ref) {
    if (value instanceof Date) {
      const format = ref.timestampFormat ?? shape.timestampFormat ?? 'unixTimestamp';
      return format === 'unixTimestamp' ? value.getTime() / 1000 : printTimestamp(value, ref, shape, format);
    }
    if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
    return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
  },
};

/** A piece of XML that does not yet know the name its parent gives it. */
export type XmlPiece = (name: string, ref: Ref) => string;

const namespaceOf = (ref: Ref, shape: StructureShape): string => {
  const namespace = ref.xmlNamespace ?? shape.xmlNamespace;
  if (namespace === undefined) return '';
  const { uri, prefix } = typeof namespace === 'string' ? { uri: namespace, prefix: undefined } : namespace;
  return ` xmlns${prefix === undefined ? '' : `:${prefix}`}="${escapeXml(uri)}"`;
};

/** Prints XML elements, for REST-XML and Query answers. */
export const xmlPrinter: Printer<XmlPiece> = {
  structure: (members, shape) => (name, ref) => {
    const attributes = members
      .filter(([, memberRef]) => memberRef.xmlAttribute === true)
      .map(([memberName, memberRef, piece]) => ` ${memberRef.locationName ?? memberName}="${piece('', memberRef)}"`);
    const children = members
      .filter(([, memberRef]) => memberRef.xmlAttribute !== true)
      .map(([memberName, memberRef, piece]) => piece(memberRef.locationName ?? memberName, memberRef));
    return `<${name}${namespaceOf(ref, shape)}${attributes.join('')}>${children.join('')}</${name}>`;
  },
  list: (items, shape) => (name, ref) => {
    if (ref.flattened === true || shape.flattened === true) {
      return items.map((item) => item(shape.member.locationName ?? name, shape.member)).join('');
    }
    const memberName = shape.member.locationName ?? 'member';
    return `<${name}>${items.map((item) => item(memberName, shape.member)).join('')}</${name}>`;
  },
  map: (entries, shape) => (name, ref) => {
    const keyName = shape.key.locationName ?? 'key';
    const valueName = shape.value.locationName ?? 'value';
    const printed = entries.map(
      ([key, piece]) => `<${keyName}>${escapeXml(key)}</${keyName}>${piece(valueName, shape.value)}`,
    );
    if (ref.flattened === true || shape.flattened === true) {
      return printed.map((entry) => `<${name}>${entry}</${name}>`).join('');
    }
    return `<${name}>${printed.map((entry) => `<entry>${entry}</entry>`).join('')}</${name}>`;
  },
  scalar: (value, shape, scalarRef) => (name) => {
    const text = escapeXml(printText(value, shape, scalarRef, 'iso8601'));
    return name === '' ? text : `<${name}>${text}</${name}>`;
  },
};

/** A scalar as plain text: in XML, or in a header. */
export function printText(
  value: string | number | boolean | Date | Uint8Array,
  shape: ScalarShape,
  ref: Ref,
  format: 'iso8601' | 'rfc822',
): string {
  if (value instanceof Date) return printTimestamp(value, ref, shape, format);
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : String(value);
}
