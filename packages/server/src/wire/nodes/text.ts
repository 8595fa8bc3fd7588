import { SerializationException } from '../errors.ts';
import type { MapShape, Ref, ScalarShape, Shape, StructureShape, TimestampFormat } from '../model.ts';
import type { Node } from '../read.ts';
import { parseText } from './scalars.ts';

/** A value that arrived as plain text: a header, a part of the path, a query parameter, an XML attribute. */
export class TextNode implements Node {
  readonly #texts: readonly string[];
  readonly #format: TimestampFormat;

  constructor(text: string | readonly string[], format: TimestampFormat) {
    this.#texts = typeof text === 'string' ? [text] : text;
    this.#format = format;
  }

  member(_name: string, _ref: Ref, _shape: Shape): Node | undefined {
    throw new SerializationException('A structure can not be read from text');
  }

  unknown(_shape: StructureShape): readonly string[] {
    return [];
  }

  items(): readonly Node[] {
    return this.#texts.map((text) => new TextNode(text, this.#format));
  }

  entries(_shape: MapShape): readonly (readonly [string, Node | undefined])[] {
    throw new SerializationException('A map can not be read from text');
  }

  scalar(shape: ScalarShape, ref: Ref): unknown {
    return parseText(this.#texts[0] ?? '', shape, ref.timestampFormat ?? this.#format);
  }
}

/** A map bound to headers with one prefix (`x-amz-meta-*`). */
export class HeaderMapNode extends TextNode {
  readonly #entries: readonly (readonly [string, string])[];

  constructor(entries: readonly (readonly [string, string])[]) {
    super([], 'rfc822');
    this.#entries = entries;
  }

  override entries(): readonly (readonly [string, Node])[] {
    return this.#entries.map(([key, text]) => [key, new TextNode(text, 'rfc822')] as const);
  }
}

/** A value that is there as it is: a payload's bytes, or a stream of them. */
export class GivenNode extends TextNode {
  readonly #value: unknown;

  constructor(value: unknown) {
    super([], 'iso8601');
    this.#value = value;
  }

  override scalar(): unknown {
    return this.#value;
  }
}
