import { AwsError } from '../errors.ts';

export interface XmlElement {
  /** Without its prefix. */
  readonly name: string;
  /** By local name; namespace declarations are left out. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** The text directly inside, entities resolved, white space kept. */
  readonly text: string;
}

export class MalformedXml extends AwsError {
  constructor(detail?: string) {
    const sentence = 'The XML you provided was not well-formed or did not validate against our published schema';
    super('MalformedXML', 400, detail === undefined ? sentence : `${sentence}: ${detail}`);
  }
}

const DEEPEST = 64;
const MOST_ELEMENTS = 200_000;
const LONGEST_TAG = 16_384;
const NAME = /^[A-Za-z_][\w.-]*(:[A-Za-z_][\w.-]*)?$/;
const ATTRIBUTE = /\s+([\w.:-]+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
]);

interface Open {
  readonly qualifiedName: string;
  readonly attributes: Map<string, string>;
  readonly children: XmlElement[];
  text: string;
}

/**
 * Parses the small XML documents that AWS clients send, and refuses what they never send: document types (so there are
 * no entities of the client's own to expand), processing instructions inside, and nesting deeper than 64.
 *
 * @throws MalformedXml
 */
export function parseXml(text: string): XmlElement {
  const parser = new XmlParser(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  return parser.document();
}

class XmlParser {
  readonly #text: string;
  readonly #open: Open[] = [];
  #at = 0;
  #elements = 0;
  #root: XmlElement | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  document(): XmlElement {
    const declaration = /^\s*<\?xml\s[^?]*\?>/.exec(this.#text.slice(0, 1024));
    if (declaration !== null) this.#at = declaration[0].length;
    while (this.#at < this.#text.length) this.#next();
    if (this.#root === undefined || this.#open.length > 0) throw new MalformedXml('it ends too early');
    return this.#root;
  }

  #next(): void {
    const angle = this.#text.indexOf('<', this.#at);
    const end = angle === -1 ? this.#text.length : angle;
    if (end > this.#at) this.#characters(resolveEntities(this.#text.slice(this.#at, end)));
    this.#at = end;
    if (angle === -1) return;
    if (this.#text.startsWith('<!--', angle)) this.#at = this.#after('-->', angle + 4);
    else if (this.#text.startsWith('<![CDATA[', angle)) {
      const after = this.#after(']]>', angle + 9);
      this.#characters(this.#text.slice(angle + 9, after - 3), true);
      this.#at = after;
    } else if (this.#text.startsWith('<!', angle)) throw new MalformedXml('document types are not accepted');
    else if (this.#text.startsWith('<?', angle)) throw new MalformedXml('processing instructions are not accepted');
    else this.#tag(angle);
  }

  #after(mark: string, from: number): number {
    const at = this.#text.indexOf(mark, from);
    if (at === -1) throw new MalformedXml('it ends too early');
    return at + mark.length;
  }

  #characters(text: string, isData = false): void {
    const open = this.#open.at(-1);
    if (open !== undefined) open.text += text;
    else if (isData || text.trim() !== '') throw new MalformedXml('there is text outside the root element');
  }

  #tag(start: number): void {
    const end = this.#after('>', start);
    if (end - start > LONGEST_TAG) throw new MalformedXml('a tag is too long');
    this.#at = end;
    if (this.#text.startsWith('</', start)) {
      const closed = this.#open.pop();
      if (closed?.qualifiedName !== this.#text.slice(start + 2, end - 1).trimEnd()) {
        throw new MalformedXml('an end tag does not match');
      }
      this.#close(closed);
      return;
    }
    const isEmpty = this.#text[end - 2] === '/';
    const inside = this.#text.slice(start + 1, isEmpty ? end - 2 : end - 1);
    const open = openTag(inside);
    this.#elements += 1;
    if (this.#elements > MOST_ELEMENTS) throw new MalformedXml('it has too many elements');
    if (this.#open.length >= DEEPEST) throw new MalformedXml('it is nested too deeply');
    if (isEmpty) this.#close(open);
    else this.#open.push(open);
  }

  #close(open: Open): void {
    const name = open.qualifiedName.slice(open.qualifiedName.indexOf(':') + 1);
    const element = { name, attributes: open.attributes, children: open.children, text: open.text };
    const parent = this.#open.at(-1);
    if (parent !== undefined) parent.children.push(element);
    else if (this.#root === undefined) this.#root = element;
    else throw new MalformedXml('it has two root elements');
  }
}

function openTag(inside: string): Open {
  const qualifiedName = /^[^\s/]+/.exec(inside)?.[0] ?? '';
  if (!NAME.test(qualifiedName)) throw new MalformedXml('a tag has no name');
  const attributes = new Map<string, string>();
  let at = qualifiedName.length;
  while (at < inside.length && inside.slice(at).trim() !== '') {
    ATTRIBUTE.lastIndex = at;
    const match = ATTRIBUTE.exec(inside);
    if (match === null) throw new MalformedXml('an attribute is malformed');
    const name = match[1] as string;
    if (name !== 'xmlns' && !name.startsWith('xmlns:')) {
      attributes.set(name.slice(name.indexOf(':') + 1), resolveEntities(match[2] ?? match[3] ?? ''));
    }
    at = ATTRIBUTE.lastIndex;
  }
  return { qualifiedName, attributes, children: [], text: '' };
}

function resolveEntities(text: string): string {
  if (!text.includes('&')) return text.replaceAll('\r\n', '\n');
  return text.replaceAll('\r\n', '\n').replace(/&([^;&\s]{0,12});?/g, (whole, name: string) => {
    const resolved = whole.endsWith(';') ? (ENTITIES.get(name) ?? character(name)) : undefined;
    if (resolved === undefined) throw new MalformedXml('it uses an unknown entity');
    return resolved;
  });
}

function character(name: string): string | undefined {
  const match = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(name);
  if (match === null) return undefined;
  const code = match[1] === undefined ? Number(match[2]) : Number.parseInt(match[1], 16);
  const isAllowed = code <= 0x10ffff && code > 0 && !(code >= 0xd800 && code <= 0xdfff);
  return isAllowed ? String.fromCodePoint(code) : undefined;
}

/** Escapes as S3 does: both quotes, and the control characters that XML parsers would change or refuse. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"'\r\n\t\u0085\u2028]/g, (c) => ESCAPES.get(c) ?? `&#x${c.charCodeAt(0).toString(16)};`);
}
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&apos;'],
  ['\n', '\n'],
  ['\t', '\t'],
]);
