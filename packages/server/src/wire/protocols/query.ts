import { UnknownOperation } from '../errors.ts';
import type { Model } from '../model.ts';
import { parseForm } from '../nodes/form.ts';
import { escapeXml } from '../nodes/xml.ts';
import { print, xmlPrinter } from '../print.ts';
import { modelledMembers, wireCode } from './error-members.ts';
import { MEGABYTE } from './protocol.ts';
import type { Head, Protocol } from './protocol.ts';

/** Query: a form with `Action` and `Version`, answered in XML. A GET carries the same in its query string. */
export function query(): Protocol {
  return {
    bodyLimitBytes: 2 * MEGABYTE,

    async find(model, head, body) {
      const operation = formOf(head, await body()).parameter('Action') ?? '';
      if (model.operation(operation) !== undefined) return operation;
      const version = model.metadata.apiVersion;
      const name = operation.slice(0, 128);
      throw new UnknownOperation('InvalidAction', 400, `Could not find operation ${name} for version ${version}`);
    },

    parse(_model, _operation, head, body) {
      return formOf(head, body as Uint8Array).node;
    },

    print(model, name, output, requestId) {
      const ref = model.operation(name)?.output;
      const wrapper = ref?.resultWrapper;
      const result = ref === undefined ? '' : print(model, ref, output, xmlPrinter)(wrapper ?? `${name}Result`, ref);
      const metadata = `<ResponseMetadata><RequestId>${escapeXml(requestId)}</RequestId></ResponseMetadata>`;
      const body = `<${name}Response xmlns="${namespace(model)}">${result}${metadata}</${name}Response>`;
      return { status: 200, headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId }, body };
    },

    printError(model, error, requestId) {
      const shape = model?.errorShape(error.code);
      const type = error.status < 500 ? 'Sender' : 'Receiver';
      const members = modelledMembers(error, shape).map(([name, ref, value]) =>
        model === undefined ? '' : print(model, ref, value, xmlPrinter, undefined, name)(ref.locationName ?? name, ref),
      );
      const inside =
        `<Type>${type}</Type><Code>${escapeXml(wireCode(model, error))}</Code>` +
        `<Message>${escapeXml(error.message)}</Message>${members.join('')}`;
      const body =
        `<ErrorResponse xmlns="${namespace(model)}"><Error>${inside}</Error>` +
        `<RequestId>${escapeXml(requestId)}</RequestId></ErrorResponse>`;
      return { status: error.status, headers: { 'content-type': 'text/xml', 'x-amzn-requestid': requestId }, body };
    },
  };
}

const namespace = (model: Model | undefined): string =>
  escapeXml(model?.metadata.xmlNamespace ?? 'https://aws.amazon.com/');

/** POST bodies count first; parameters in the URL of a POST are read only when there is no body. */
function formOf(head: Head, body: Uint8Array): ReturnType<typeof parseForm> {
  return parseForm(body.length > 0 ? Buffer.from(body).toString('utf8') : head.query.toString());
}
