/** Something durable that just happened: for tracing, and for tests that kill the server at each such point. */
export interface RunnerPoint {
  readonly what: 'commit' | 'effect' | 'result';
  readonly machine: string;
  readonly key: string;
  readonly detail: string;
}
