import type { ListShape, MapShape, Ref, ScalarShape, Shape, StructureShape } from '../model.ts';
import type { Node } from '../read.ts';
import { SerializationException } from '../errors.ts';
import { parseText } from './scalars.ts';
import { TextNode } from './text.ts';
import { MalformedXml } from './xml.ts';
import type { XmlElement } from './xml.ts';

const isFlattened = (ref: Ref, shape: Shape): boolean => ref.flattened === true || shape.flattened === true;
const localName = (name: string): string => name.slice(name.indexOf(':') + 1);

/** One XML element, or the several that a flattened list or map consists of. */
export class ElementNode implements Node {
  readonly #elements: readonly XmlElement[];
  readonly #flattened: boolean;

  constructor(elements: readonly XmlElement[], flattened = false) {
    this.#elements = elements;
    this.#flattened = flattened;
  }

  get #element(): XmlElement {
    const [element] = this.#elements;
    if (element === undefined) throw new MalformedXml();
    return element;
  }

  member(name: string, ref: Ref, shape: Shape): Node | undefined {
    const wanted = localName(ref.locationName ?? name);
    if (ref.xmlAttribute === true) {
      const text = this.#element.attributes.get(wanted);
      return text === undefined ? undefined : new TextNode(text, 'iso8601');
    }
    const found = this.#element.children.filter((child) => child.name === wanted);
    if (found.length === 0) return undefined;
    if (isFlattened(ref, shape)) return new ElementNode(found, true);
    if (found.length > 1) throw new MalformedXml(`${wanted} appears twice`);
    return new ElementNode(found);
  }

  unknown(shape: StructureShape): readonly string[] {
    const known = new Set(Object.entries(shape.members).map(([name, ref]) => localName(ref.locationName ?? name)));
    return this.#element.children.map((child) => child.name).filter((name) => !known.has(name));
  }

  items(shape: ListShape): readonly Node[] {
    if (this.#flattened) return this.#elements.map((element) => new ElementNode([element]));
    const wanted = shape.member.locationName ?? 'member';
    return this.#element.children.filter((child) => child.name === wanted).map((element) => new ElementNode([element]));
  }

  entries(shape: MapShape): readonly (readonly [string, Node | undefined])[] {
    const entries = this.#flattened ? this.#elements : this.#element.children.filter((child) => child.name === 'entry');
    return entries.map((entry) => {
      const key = entry.children.find((child) => child.name === (shape.key.locationName ?? 'key'));
      const value = entry.children.find((child) => child.name === (shape.value.locationName ?? 'value'));
      if (key === undefined) throw new MalformedXml('a map entry has no key');
      return [key.text, value === undefined ? undefined : new ElementNode([value])] as const;
    });
  }

  scalar(shape: ScalarShape, ref: Ref): unknown {
    if (this.#element.children.length > 0) throw new MalformedXml(`${this.#element.name} holds elements`);
    try {
      return parseText(this.#element.text, shape, ref.timestampFormat ?? 'iso8601');
    } catch (error) {
      // S3 has one code for everything that is wrong in a document.
      throw error instanceof SerializationException ? new MalformedXml(error.message) : error;
    }
  }
}
