import { Readable } from 'node:stream';
import { AwsError } from '../errors.ts';
import type { Model, OperationModel, Ref, Shape, StructureShape } from '../model.ts';
import { GivenNode, HeaderMapNode, TextNode } from '../nodes/text.ts';
import { AnswerError, checkedScalar, membersOf, printText } from '../print.ts';
import type { Node } from '../read.ts';
import type { Body, Head } from './protocol.ts';

/** What the two REST protocols share: where the members of an input or output stand in an HTTP message. */

const BODY_TYPES: ReadonlySet<string> = new Set(['structure', 'list', 'map']);

/** The member that is the whole body, where the model names one. */
export function payloadOf(model: Model, ref: Ref | undefined): readonly [string, Ref, Shape] | undefined {
  if (ref === undefined) return undefined;
  const shape = model.structure(ref.shape);
  if (shape.payload === undefined) return undefined;
  const member = shape.members[shape.payload] as Ref;
  return [shape.payload, member, model.shape(member.shape)];
}

/** Whether the operation takes its body as a stream. */
export function takesStream(model: Model, operation: OperationModel): boolean {
  const payload = payloadOf(model, operation.input);
  return payload !== undefined && (payload[1].streaming === true || payload[2].streaming === true);
}

/** The constraint on a payload of bytes, which is then also the limit of reading it. */
export function payloadLimit(model: Model, operation: OperationModel): number | undefined {
  const payload = payloadOf(model, operation.input);
  return payload?.[2].type === 'blob' ? payload[2].max : undefined;
}

export class RestNode implements Node {
  readonly #shape: StructureShape;
  readonly #labels: ReadonlyMap<string, string>;
  readonly #head: Head;
  readonly #body: Body;
  readonly #parse: (body: Uint8Array, payload: Ref | undefined) => Node;
  #document: Node | undefined;

  /**
   * @param labels percent-encoded, by the name in the URI
   * @param parse makes the document of a body that holds one; `payload` is set when one member is the whole of it
   */
  constructor(
    shape: StructureShape,
    labels: ReadonlyMap<string, string>,
    head: Head,
    body: Body,
    parse: (body: Uint8Array, payload: Ref | undefined) => Node,
  ) {
    this.#shape = shape;
    this.#labels = labels;
    this.#head = head;
    this.#body = body;
    this.#parse = parse;
  }

  member(name: string, ref: Ref, shape: Shape): Node | undefined {
    const wireName = ref.locationName ?? name;
    switch (ref.location) {
      case 'uri':
        return new TextNode(decodeLabel(this.#labels.get(wireName) ?? ''), 'iso8601');
      case 'querystring': {
        const values = this.#head.query.getAll(wireName);
        return values.length === 0 ? undefined : new TextNode(values, 'iso8601');
      }
      case 'header': {
        const text = this.#head.headers[wireName.toLowerCase()];
        if (text === undefined) return undefined;
        return new TextNode(shape.type === 'list' ? splitHeader(text) : text, 'rfc822');
      }
      case 'headers':
        return this.#prefixed(wireName.toLowerCase());
      default:
        return this.#inBody(name, ref, shape);
    }
  }

  unknown(): readonly string[] {
    return this.#shape.payload === undefined && this.#document !== undefined ? this.#document.unknown(this.#shape) : [];
  }

  items(): readonly Node[] {
    return [];
  }

  entries(): readonly (readonly [string, Node])[] {
    return [];
  }

  scalar(): unknown {
    return undefined;
  }

  #prefixed(prefix: string): Node | undefined {
    const entries = Object.entries(this.#head.headers)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, text]) => [key.slice(prefix.length), text] as const);
    return entries.length === 0 ? undefined : new HeaderMapNode(entries);
  }

  #inBody(name: string, ref: Ref, shape: Shape): Node | undefined {
    const body = this.#body;
    if (this.#shape.payload === undefined) {
      if (body instanceof Readable || body.length === 0) return undefined;
      this.#document ??= this.#parse(body, undefined);
      return this.#document.member(name, ref, shape);
    }
    if (name !== this.#shape.payload) return undefined;
    if (shape.type === 'blob' || body instanceof Readable) return new GivenNode(body);
    if (body.length === 0) return undefined;
    if (BODY_TYPES.has(shape.type)) return this.#parse(body, ref);
    return new TextNode(Buffer.from(body).toString('utf8'), 'iso8601');
  }
}

function decodeLabel(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AwsError('InvalidURI', 400, "Couldn't parse the specified URI.");
  }
}

/** A list in one header: separated by commas, an item with a comma in double quotes. */
function splitHeader(text: string): string[] {
  return (text.match(/"(?:[^"\\]|\\.)*"|[^,]+/g) ?? [])
    .map((item) => item.trim())
    .filter((item) => item !== '')
    .map((item) => (item.startsWith('"') ? item.slice(1, -1).replace(/\\(.)/g, '$1') : item));
}

export interface Bound {
  readonly status: number;
  readonly headers: Record<string, string>;
}

/** Puts the members of an answer that stand outside its body into the status and the headers. */
export function bindOutside(model: Model, operation: OperationModel, output: Readonly<Record<string, unknown>>): Bound {
  let status = operation.http.responseCode ?? 200;
  const headers: Record<string, string> = {};
  if (operation.output === undefined) return { status, headers };
  const shape = model.structure(operation.output.shape);
  for (const [name, value] of membersOf(output, shape, '')) {
    const ref = shape.members[name] as Ref;
    const wireName = ref.locationName ?? name;
    if (ref.location === 'statusCode') status = value as number;
    else if (ref.location === 'headers') {
      for (const [key, text] of Object.entries(value as Record<string, string>))
        headers[wireName + key] = headerText(text);
    } else if (ref.location === 'header') headers[wireName] = printHeader(model, ref, value, name);
  }
  return { status, headers };
}

function printHeader(model: Model, ref: Ref, value: unknown, path: string): string {
  const shape = model.shape(ref.shape);
  if (shape.type === 'list') {
    if (!Array.isArray(value)) throw new AnswerError(path, 'is not a list');
    return value.map((item) => printHeader(model, shape.member, item, path)).join(', ');
  }
  if (shape.type === 'structure' || shape.type === 'map') throw new AnswerError(path, 'does not fit a header');
  return headerText(printText(checkedScalar(value, shape, path), shape, ref, 'rfc822'));
}

/** No client may break out of its header; text beyond Latin-1 can not stand in one. */
function headerText(text: string): string {
  return text.replace(/[^\t\x20-\x7e\x80-\xff]/g, (c) => encodeURIComponent(c));
}
