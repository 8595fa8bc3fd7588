import { UnknownOperation } from '../errors.ts';
import type { Model } from '../model.ts';
import { parseJson } from '../nodes/json.ts';
import { jsonPrinter, print } from '../print.ts';
import { errorJson, wireCode } from './error-members.ts';
import { MEGABYTE } from './protocol.ts';
import type { Answer, Protocol } from './protocol.ts';
import { RestNode, bindOutside, payloadOf } from './rest.ts';
import { RestRoutes } from './rest-routes.ts';

/** REST-JSON: the operation is the method and the path; what stands in no header, path or query is a JSON body. */
export function restJson(): Protocol {
  const routesOf = new WeakMap<Model, RestRoutes>();
  const routes = (model: Model): RestRoutes => {
    const known = routesOf.get(model) ?? new RestRoutes(model);
    routesOf.set(model, known);
    return known;
  };
  return {
    bodyLimitBytes: 8 * MEGABYTE,

    find(model, head) {
      const match = routes(model).find(head);
      if (match !== undefined) return match.operation;
      const request = `${head.method} ${head.path.slice(0, 128)}`;
      throw new UnknownOperation(
        'UnknownOperationException',
        404,
        `${model.metadata.serviceId} has no operation at ${request}`,
      );
    },

    parse(model, operation, head, body) {
      const shape = model.structure(model.operation(operation)?.input?.shape ?? '');
      const labels = routes(model).find(head)?.labels ?? new Map<string, string>();
      return new RestNode(shape, labels, head, body, parseJson);
    },

    print(model, name, output, requestId): Answer {
      const operation = model.operation(name);
      if (operation === undefined) throw new Error(`${model.name} has no operation ${name}`);
      const { status, headers } = bindOutside(model, operation, output);
      const all = { 'x-amzn-requestid': requestId, ...headers };
      if (operation.output === undefined) return { status, headers: all, body: '' };
      const payload = payloadOf(model, operation.output);
      if (payload === undefined) {
        const inBody = print(model, operation.output, output, jsonPrinter, (_name, ref) => ref.location !== undefined);
        return { status, headers: { 'content-type': 'application/json', ...all }, body: JSON.stringify(inBody) };
      }
      const [payloadName, ref, shape] = payload;
      const value = output[payloadName];
      if (value === undefined) return { status, headers: all, body: '' };
      if (shape.type === 'blob' || shape.type === 'string') return { status, headers: all, body: value as Uint8Array };
      const printed = JSON.stringify(print(model, ref, value, jsonPrinter, undefined, payloadName));
      return { status, headers: { 'content-type': 'application/json', ...all }, body: printed };
    },

    printError(model, error, requestId) {
      const code = wireCode(model, error);
      return {
        status: error.status,
        headers: { 'content-type': 'application/json', 'x-amzn-requestid': requestId, 'x-amzn-errortype': code },
        body: JSON.stringify(errorJson(model, error)),
      };
    },
  };
}
