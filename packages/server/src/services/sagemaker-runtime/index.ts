import type { Service } from '../../wire/service.ts';
import type { ServerParts } from '../parts.ts';
import { invocationOperations } from './invocations/operations.ts';

/** SageMaker's data plane: asks the routes that the control plane sets. */
export function createSagemakerRuntime(parts: ServerParts): Service {
  return { model: 'sagemaker-runtime', operations: invocationOperations(parts) };
}
