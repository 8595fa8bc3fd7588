/**
 * Says that the test around it drives these operations by an official client and looks at what they did. Only for tests
 * that send no `new XCommand(…)` themselves (they drive boto3, the AWS CLI, a waiter or a paginator): those are seen as
 * they are. `docs/reference/coverage.md` is made from both.
 *
 * @param service the model's name, for example `sagemaker`
 */
export function drives(service: string, ...operations: readonly string[]): void {
  if (operations.length === 0) throw new Error(`drives('${service}') names no operation`);
}
