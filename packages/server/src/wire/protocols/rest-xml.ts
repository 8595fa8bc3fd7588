import { AwsError } from '../errors.ts';
import type { Model, OperationModel, Ref } from '../model.ts';
import { ElementNode } from '../nodes/element.ts';
import { MalformedXml, escapeXml, parseXml } from '../nodes/xml.ts';
import { print, xmlPrinter } from '../print.ts';
import type { Node } from '../read.ts';
import { wireCode } from './error-members.ts';
import { MEGABYTE } from './protocol.ts';
import type { Answer, Protocol } from './protocol.ts';
import { RestNode, bindOutside, payloadOf } from './rest.ts';
import { RestRoutes } from './rest-routes.ts';
import { ROOT_NAMES, S3_NAMESPACE, hostIdOf, isPartial, printBucketLocation } from './s3-quirks.ts';

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** REST-XML, which among our services only S3 speaks; what only S3 does is in s3-quirks.ts. */
export function restXml(): Protocol {
  const routesOf = new WeakMap<Model, RestRoutes>();
  const routes = (model: Model): RestRoutes => {
    const known = routesOf.get(model) ?? new RestRoutes(model);
    routesOf.set(model, known);
    return known;
  };
  return {
    bodyLimitBytes: 4 * MEGABYTE,

    find(model, head) {
      const match = routes(model).find(head);
      if (match !== undefined) return match.operation;
      throw new AwsError('MethodNotAllowed', 405, 'The specified method is not allowed against this resource.', {
        Method: head.method,
      });
    },

    parse(model, operation, head, body) {
      const shape = model.structure(model.operation(operation)?.input?.shape ?? '');
      const labels = routes(model).find(head)?.labels ?? new Map<string, string>();
      return new RestNode(shape, labels, head, body, parseDocument);
    },

    print(model, name, output, requestId): Answer {
      const operation = model.operation(name);
      if (operation === undefined) throw new Error(`${model.name} has no operation ${name}`);
      const bound = bindOutside(model, operation, output);
      const status = isPartial(name, output) ? 206 : bound.status;
      const headers = { ...identity(requestId), ...bound.headers };
      if (name === 'GetBucketLocation') {
        return {
          status,
          headers: { ...headers, 'content-type': 'application/xml' },
          body: DECLARATION + printBucketLocation(output),
        };
      }
      const payload = payloadOf(model, operation.output);
      if (payload !== undefined && (payload[2].type === 'blob' || payload[2].type === 'string')) {
        return { status, headers, body: (output[payload[0]] ?? '') as Uint8Array };
      }
      const document = printDocument(model, name, operation, output);
      if (document === undefined) return { status, headers, body: '' };
      return { status, headers: { ...headers, 'content-type': 'application/xml' }, body: DECLARATION + document };
    },

    printError(model, error, requestId, head) {
      const headers = identity(requestId);
      // HEAD and 304 have no body; a client takes the code from the status.
      if (head.method === 'HEAD' || error.status === 304) return { status: error.status, headers };
      const members = Object.entries({ Resource: decodePath(head.path), ...error.members }).map(
        ([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`,
      );
      const body =
        `${DECLARATION}<Error><Code>${escapeXml(wireCode(model, error))}</Code>` +
        `<Message>${escapeXml(error.message)}</Message>${members.join('')}` +
        `<RequestId>${requestId}</RequestId><HostId>${hostIdOf(requestId)}</HostId></Error>`;
      return { status: error.status, headers: { ...headers, 'content-type': 'application/xml' }, body };
    },
  };
}

const identity = (requestId: string): Record<string, string> => ({
  'x-amz-request-id': requestId,
  'x-amz-id-2': hostIdOf(requestId),
});

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function parseDocument(body: Uint8Array, payload: Ref | undefined): Node {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw new MalformedXml('it is not UTF-8');
  }
  const root = parseXml(text);
  const wanted = payload?.locationName;
  if (wanted !== undefined && root.name !== wanted) throw new MalformedXml(`its root is not ${wanted}`);
  return new ElementNode([root]);
}

/** The XML body, or undefined for an operation whose answer is headers only. */
function printDocument(
  model: Model,
  name: string,
  operation: OperationModel,
  output: Readonly<Record<string, unknown>>,
): string | undefined {
  if (operation.output === undefined) return undefined;
  const payload = payloadOf(model, operation.output);
  if (payload !== undefined) {
    const [payloadName, ref] = payload;
    if (output[payloadName] === undefined) return undefined;
    const rootRef = { ...ref, xmlNamespace: ref.xmlNamespace ?? S3_NAMESPACE };
    const piece = print(model, rootRef, output[payloadName], xmlPrinter, undefined, payloadName);
    return piece(ref.locationName ?? ROOT_NAMES.get(name) ?? ref.shape, rootRef);
  }
  const shape = model.structure(operation.output.shape);
  if (Object.values(shape.members).every((member) => member.location !== undefined)) return undefined;
  const rootRef = { ...operation.output, xmlNamespace: S3_NAMESPACE };
  const piece = print(model, rootRef, output, xmlPrinter, (_name, member) => member.location !== undefined);
  return piece(ROOT_NAMES.get(name) ?? operation.output.shape, rootRef);
}
