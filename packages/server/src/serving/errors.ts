/** Why a request could not be answered; the runtime service says it in AWS's words. */
export type ServingProblem =
  /** The object of a model is not in its bucket. */
  | { readonly kind: 'model-missing'; readonly bucket: string; readonly key: string }
  /** The object is no archive that may be unpacked. */
  | { readonly kind: 'model-unusable'; readonly bucket: string; readonly key: string; readonly why: string }
  /** The container answered the load with an error. */
  | { readonly kind: 'load-failed'; readonly status: number; readonly message: string }
  | { readonly kind: 'not-ready'; readonly why: string }
  | { readonly kind: 'timed-out' }
  | { readonly kind: 'worker-gone'; readonly why: string }
  | { readonly kind: 'overloaded' }
  | { readonly kind: 'closed' };

export class ServingError extends Error {
  readonly problem: ServingProblem;

  constructor(problem: ServingProblem) {
    super(`the request was not served (${problem.kind})`);
    this.name = 'ServingError';
    this.problem = problem;
  }
}

/** A fleet that cannot be started; the message is the endpoint's FailureReason. */
export class FleetFailed extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'FleetFailed';
  }
}
