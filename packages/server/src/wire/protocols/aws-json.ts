import { UnknownOperation } from '../errors.ts';
import { parseJson } from '../nodes/json.ts';
import { jsonPrinter, print } from '../print.ts';
import { errorJson, wireCode } from './error-members.ts';
import { MEGABYTE } from './protocol.ts';
import type { Body, Protocol } from './protocol.ts';

/** AWS JSON 1.0 and 1.1: POST to `/`, the operation in `X-Amz-Target: <prefix>.<Operation>`. */
export function awsJson(version: '1.0' | '1.1'): Protocol {
  const contentType = `application/x-amz-json-${version}`;
  return {
    bodyLimitBytes: 8 * MEGABYTE,

    find(model, head) {
      const target = head.headers['x-amz-target'] ?? '';
      const operation = target.slice(target.lastIndexOf('.') + 1);
      if (model.operation(operation) !== undefined) return operation;
      const name = operation.slice(0, 128);
      throw new UnknownOperation(
        'UnknownOperationException',
        400,
        `${model.metadata.serviceId} has no operation '${name}'`,
      );
    },

    parse(_model, _operation, _head, body: Body) {
      return parseJson(body as Uint8Array);
    },

    print(model, operation, output, requestId) {
      const ref = model.operation(operation)?.output;
      const headers = { 'content-type': contentType, 'x-amzn-requestid': requestId };
      // AWS answers operations without output with no byte at all.
      if (ref === undefined) return { status: 200, headers, body: '' };
      return { status: 200, headers, body: JSON.stringify(print(model, ref, output, jsonPrinter)) };
    },

    printError(model, error, requestId) {
      const code = wireCode(model, error);
      return {
        status: error.status,
        headers: { 'content-type': contentType, 'x-amzn-requestid': requestId, 'x-amzn-errortype': code },
        body: JSON.stringify({ __type: code, ...errorJson(model, error) }),
      };
    },
  };
}
