import type { Credentials } from './credentials.ts';
import { ServiceNotImplemented, UnknownOperation } from './errors.ts';
import type { Metadata } from './model.ts';
import { parseForm } from './nodes/form.ts';
import type { Head } from './protocols/protocol.ts';

export type Dialect = 'json-1.0' | 'json-1.1' | 'rest-json' | 'rest-xml' | 'query';

export interface Route {
  /** The model's name. */
  readonly service: string;
  readonly dialect: Dialect;
  /** The request, with a virtual-host bucket moved into the path. */
  readonly head: Head;
}

type Catalog = ReadonlyMap<string, Metadata>;
const signingName = (metadata: Metadata): string => metadata.signingName ?? metadata.endpointPrefix;

/**
 * Finds service and protocol of one request, in this order: X-Amz-Target, Smithy-Protocol, the signature's
 * scope, an `Action=` form, else S3. The protocol comes from the request and not from the service alone, because one
 * service may be spoken in several.
 *
 * @param body reads the body; needed only for a form that nobody signed
 */
export async function route(
  catalog: Catalog,
  head: Head,
  credentials: Credentials,
  body: () => Promise<Uint8Array>,
): Promise<Route> {
  const target = head.headers['x-amz-target'];
  if (target !== undefined) return byTarget(catalog, head, target);
  const smithy = head.headers['smithy-protocol'];
  if (smithy !== undefined) throw new ServiceNotImplemented(`the protocol ${smithy.slice(0, 64)}`);
  if (credentials.service !== undefined && credentials.service !== 's3')
    return byScope(catalog, head, credentials.service);
  if (credentials.service === undefined) {
    const version = await formVersion(head, body);
    if (version !== undefined) return byVersion(catalog, head, version);
  }
  return { service: 's3', dialect: 'rest-xml', head: pathStyle(head) };
}

function byTarget(catalog: Catalog, head: Head, target: string): Route {
  const prefix = target.slice(0, Math.max(0, target.lastIndexOf('.')));
  for (const [service, metadata] of catalog) {
    if (metadata.targetPrefix === prefix) return { service, dialect: jsonDialect(head, metadata), head };
  }
  throw new ServiceNotImplemented(`the service with the target prefix '${prefix.slice(0, 64)}'`);
}

function jsonDialect(head: Head, metadata: Metadata): Dialect {
  const contentType = head.headers['content-type'] ?? '';
  if (contentType.startsWith('application/x-amz-json-1.0')) return 'json-1.0';
  if (contentType.startsWith('application/x-amz-json-1.1')) return 'json-1.1';
  return metadata.jsonVersion === '1.0' ? 'json-1.0' : 'json-1.1';
}

/** Several services may sign with one name (both planes of SageMaker): the first path segment tells them apart. */
function byScope(catalog: Catalog, head: Head, scope: string): Route {
  const candidates = [...catalog].filter(([, metadata]) => signingName(metadata) === scope);
  const first = head.path.split('/', 2)[1] ?? '';
  const byPath = candidates.find(([, metadata]) => metadata.firstSegments?.includes(first));
  const [service, metadata] = byPath ?? candidates.find(([, { firstSegments }]) => firstSegments === undefined) ?? [];
  if (service === undefined || metadata === undefined) {
    const known = candidates[0]?.[1].serviceId;
    if (known === undefined) throw new ServiceNotImplemented(`the service '${scope.slice(0, 64)}'`);
    throw new UnknownOperation(
      'UnknownOperationException',
      404,
      `${known} has no operation at ${head.path.slice(0, 128)}`,
    );
  }
  if (metadata.protocol === 'json') return { service, dialect: jsonDialect(head, metadata), head };
  return { service, dialect: metadata.protocol, head };
}

function byVersion(catalog: Catalog, head: Head, version: string): Route {
  for (const [service, metadata] of catalog) {
    if (metadata.protocol === 'query' && metadata.apiVersion === version) return { service, dialect: 'query', head };
  }
  throw new ServiceNotImplemented(`the service with API version '${version.slice(0, 32)}'`);
}

/** `Version` of an unsigned Query request (AssumeRoleWithWebIdentity is one), or undefined when it is none. */
async function formVersion(head: Head, body: () => Promise<Uint8Array>): Promise<string | undefined> {
  const isForm = head.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  if (head.method === 'POST' && isForm && head.path === '/') {
    return parseForm(Buffer.from(await body()).toString('utf8')).parameter('Version');
  }
  if (head.path === '/' && head.query.has('Action')) return head.query.get('Version') ?? undefined;
  return undefined;
}

const VIRTUAL_HOST = /^(?:(.+?)\.)?(?:s3[.-](?:[\w-]+\.)*amazonaws\.com(?:\.cn)?|s3\.localhost|localhost)$/;

/** Moves the bucket of `<bucket>.s3.<region>.amazonaws.com` or `<bucket>.localhost` to the path's front. */
function pathStyle(head: Head): Head {
  const host = (head.headers['host'] ?? '').replace(/:\d+$/, '').toLowerCase();
  const bucket = VIRTUAL_HOST.exec(host)?.[1];
  if (bucket === undefined || bucket === 's3') return head;
  return { ...head, path: `/${bucket}${head.path}` };
}
