import type { AwsError } from '../errors.ts';
import type { Model, Ref, StructureShape } from '../model.ts';
import { jsonPrinter, print } from '../print.ts';

/** The members of an error beside its message that the model gives it, printed by its shape; others are dropped. */
export function modelledMembers(error: AwsError, shape: StructureShape | undefined): [string, Ref, unknown][] {
  if (shape === undefined) return [];
  return Object.entries(shape.members)
    .filter(([name]) => name.toLowerCase() !== 'message' && error.members[name] !== undefined)
    .map(([name, ref]) => [name, ref, error.members[name]]);
}

/** `Message` where the modelled shape spells it so, else `message`: SageMaker does both, clients read both. */
export function messageKey(shape: StructureShape | undefined): string {
  return shape !== undefined && Object.hasOwn(shape.members, 'Message') ? 'Message' : 'message';
}

/** The body of an error in the two JSON families. */
export function errorJson(model: Model | undefined, error: AwsError): Record<string, unknown> {
  const shape = model?.errorShape(error.code);
  const body: Record<string, unknown> = { [messageKey(shape)]: error.message };
  for (const [name, ref, value] of modelledMembers(error, shape)) {
    if (model !== undefined) body[ref.locationName ?? name] = print(model, ref, value, jsonPrinter, undefined, name);
  }
  return body;
}

/** The code on the wire: a shape's own (`NoSuchEntity` for NoSuchEntityException), else what was thrown. */
export function wireCode(model: Model | undefined, error: AwsError): string {
  return model?.errorShape(error.code)?.error?.code ?? error.code;
}
