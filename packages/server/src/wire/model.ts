import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { toRegExp } from './patterns.ts';

/** How one shape refers to another: the target's name and what the place adds to it. */
export interface Ref {
  readonly shape: string;
  readonly location?: 'header' | 'headers' | 'uri' | 'querystring' | 'statusCode';
  readonly locationName?: string;
  readonly streaming?: boolean;
  readonly flattened?: boolean;
  readonly xmlAttribute?: boolean;
  readonly xmlNamespace?: XmlNamespace | string;
  readonly timestampFormat?: TimestampFormat;
  readonly jsonvalue?: boolean;
  readonly eventpayload?: boolean;
}
export type TimestampFormat = 'iso8601' | 'rfc822' | 'unixTimestamp';
export interface XmlNamespace {
  readonly uri: string;
  readonly prefix?: string;
}
interface ErrorTrait {
  readonly code?: string;
  readonly httpStatusCode?: number;
  readonly senderFault?: boolean;
}
interface AnyShape {
  readonly min?: number;
  readonly max?: number;
  readonly sensitive?: boolean;
  readonly flattened?: boolean;
  readonly locationName?: string;
  readonly xmlNamespace?: XmlNamespace | string;
  readonly timestampFormat?: TimestampFormat;
  readonly streaming?: boolean;
}
export interface StructureShape extends AnyShape {
  readonly type: 'structure';
  readonly members: Readonly<Record<string, Ref>>;
  readonly required?: readonly string[];
  readonly payload?: string;
  readonly exception?: boolean;
  readonly error?: ErrorTrait;
  readonly union?: boolean;
  readonly eventstream?: boolean;
}
export interface ListShape extends AnyShape {
  readonly type: 'list';
  readonly member: Ref;
}
export interface MapShape extends AnyShape {
  readonly type: 'map';
  readonly key: Ref;
  readonly value: Ref;
}
export interface ScalarShape extends AnyShape {
  readonly type: 'string' | 'integer' | 'long' | 'float' | 'double' | 'boolean' | 'timestamp' | 'blob';
  readonly pattern?: string;
  readonly enum?: readonly string[];
}
export type Shape = StructureShape | ListShape | MapShape | ScalarShape;

export interface OperationModel {
  readonly http: { readonly method: string; readonly requestUri: string; readonly responseCode?: number };
  readonly input?: Ref;
  readonly output?: Ref & { readonly resultWrapper?: string };
  readonly errors?: readonly string[];
}
export type ProtocolName = 'json' | 'rest-json' | 'rest-xml' | 'query';
export interface Metadata {
  readonly apiVersion: string;
  readonly protocol: ProtocolName;
  readonly jsonVersion?: string;
  readonly targetPrefix?: string;
  readonly xmlNamespace?: string;
  readonly signingName?: string;
  readonly endpointPrefix: string;
  readonly serviceId: string;
  /** REST services: the literal first path segments, which tell services with one signing name apart. */
  readonly firstSegments?: readonly string[];
}
/** What is known of a service before its model is read. */
export interface CatalogEntry extends Metadata {
  /** The names of all operations, separated by spaces. */
  readonly operations: string;
  /** Operations with a stream of events in their input or output. */
  readonly eventStreams?: readonly string[];
}
interface RawModel {
  readonly metadata: Metadata;
  readonly operations: Readonly<Record<string, OperationModel>>;
  readonly shapes: Readonly<Record<string, Shape>>;
}

/** One service's model. Names that come from a request are looked up as own keys only. */
export class Model {
  readonly name: string;
  readonly metadata: Metadata;
  readonly operations: Readonly<Record<string, OperationModel>>;
  readonly #shapes: Readonly<Record<string, Shape>>;
  readonly #patterns = new Map<string, RegExp | undefined>();

  constructor(name: string, raw: RawModel) {
    this.name = name;
    this.metadata = raw.metadata;
    this.operations = raw.operations;
    this.#shapes = raw.shapes;
  }

  operation(name: string): OperationModel | undefined {
    return Object.hasOwn(this.operations, name) ? this.operations[name] : undefined;
  }

  shape(name: string): Shape {
    const shape = Object.hasOwn(this.#shapes, name) ? this.#shapes[name] : undefined;
    if (shape === undefined) throw new Error(`The model ${this.name} has no shape ${name}`);
    return shape;
  }

  structure(name: string): StructureShape {
    const shape = this.shape(name);
    if (shape.type !== 'structure') throw new Error(`The shape ${name} of ${this.name} is not a structure`);
    return shape;
  }

  /** The compiled pattern, or undefined where JavaScript cannot express it (see patterns.ts). */
  pattern(javaPattern: string): RegExp | undefined {
    if (!this.#patterns.has(javaPattern)) this.#patterns.set(javaPattern, toRegExp(javaPattern));
    return this.#patterns.get(javaPattern);
  }

  /** The error shape that a code stands for, by the shape's name or by its wire code. */
  errorShape(code: string): StructureShape | undefined {
    const direct = Object.hasOwn(this.#shapes, code) ? this.#shapes[code] : undefined;
    if (direct?.type === 'structure' && direct.exception === true) return direct;
    for (const shape of Object.values(this.#shapes)) {
      if (shape.type === 'structure' && shape.exception === true && shape.error?.code === code) return shape;
    }
    return undefined;
  }

  /** For tests that walk the whole model. */
  get shapes(): Readonly<Record<string, Shape>> {
    return this.#shapes;
  }
}

// By the package's name, because a bundle of this code lies elsewhere.
const folder = pathToFileURL(createRequire(import.meta.url).resolve('@slipway/server/models/catalog.json'));

/** The services we have models of, by model name: small, so that routing loads no model. */
export function readCatalog(): ReadonlyMap<string, CatalogEntry> {
  const catalog = JSON.parse(readFileSync(new URL('catalog.json', folder), 'utf8')) as {
    services: Record<string, CatalogEntry>;
  };
  return new Map(Object.entries(catalog.services));
}

/** Reads one model (SageMaker: 0.65 MB, about 10 ms). */
export function readModel(name: string): Model {
  const text = readFileSync(new URL(`${name}.json`, folder), 'utf8');
  return new Model(name, JSON.parse(text) as RawModel);
}

/** Keeps the models that were read, each at its first use. */
export class Models {
  readonly #loaded = new Map<string, Model>();
  readonly #onLoad: (model: Model) => void;

  constructor(onLoad: (model: Model) => void = () => undefined) {
    this.#onLoad = onLoad;
  }

  get(name: string): Model {
    let model = this.#loaded.get(name);
    if (model === undefined) {
      model = readModel(name);
      this.#onLoad(model);
      this.#loaded.set(name, model);
    }
    return model;
  }
}
