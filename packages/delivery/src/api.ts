import type { AwsClients } from './aws.ts';
import type { OnEvent } from './events.ts';
import type { LoadedProject, ResolvedEnvironment } from './project/model.ts';
import type {
  ApplyResult,
  DecisionResult,
  InvokeResult,
  RollbackResult,
  StatusResult,
  TrainResult,
} from './results.ts';

/** What the delivery half is handed. It makes no client and reads no environment of its own. */
export interface DeliveryOptions {
  readonly project: LoadedProject;
  /** The clients of an environment's account and region. Called once for each environment that a command needs. */
  readonly connect: (environment: ResolvedEnvironment) => AwsClients;
  /** Who decides, for the log. Absent: the caller's ARN, as STS names it. */
  readonly actor?: string;
  readonly onEvent?: OnEvent;
  /**
   * This process among all that may take leases, and how to tell that another one has ended for certain: the lease of a
   * killed command is taken over at once then. Absent: it stands until it runs out.
   */
  readonly process?: { readonly process: string; readonly isGone: (process: string) => boolean };
  /** Breaks off a wait (`Interrupted`); what runs goes on. */
  readonly signal?: AbortSignal;
}

export interface DecisionRequest {
  readonly model: string;
  /** `3`, or a model package ARN. */
  readonly version: string;
  /** Why, for the record. */
  readonly reason?: string;
  /** Approve although the gate was not passed; needs a reason. */
  readonly override?: boolean;
  /** Only for this environment; absent: for all. */
  readonly env?: string;
}

export interface RollbackRequest {
  readonly model: string;
  readonly env: string;
  /** A version or ARN released there before; absent: the previous healthy, still approved one. */
  readonly to?: string;
  readonly reason?: string;
}

export interface InvokeRequest {
  readonly model: string;
  /** Absent: the registry's environment. */
  readonly env?: string;
  readonly body: Uint8Array;
  /** `text/csv` unless told. */
  readonly contentType?: string;
  readonly accept?: string;
}

/** The commands of the delivery half. Each is safe to run again: what is done already is found, not repeated. */
export interface Delivery {
  /**
   * Data, prepare, train, evaluate, gate, register, in the registry's environment.
   *
   * @throws JobFailed with the end of the log; Interrupted; InvalidRequest
   */
  train(model: string): Promise<TrainResult>;
  approve(request: DecisionRequest): Promise<DecisionResult>;
  reject(request: DecisionRequest): Promise<DecisionResult>;
  /**
   * Follows the newest decisions of every model (or those named) served in the environment. Models that cannot move
   * are answered with their reason (`waiting`, `blocked`), they do not stop the others.
   *
   * @throws RolledBack when an endpoint update was taken back; LeaseHeld; EndpointFailed
   */
  apply(request: { readonly env: string; readonly models?: readonly string[] }): Promise<ApplyResult>;
  /** Releases an earlier healthy version, and records that nothing moves until someone approves again. */
  rollback(request: RollbackRequest): Promise<RollbackResult>;
  /** Reads only. `models` and `env` absent: all of them. */
  status(request?: { readonly models?: readonly string[]; readonly env?: string }): Promise<StatusResult>;
  invoke(request: InvokeRequest): Promise<InvokeResult>;
  /** Where an environment's requests go, asked of STS: `local http://… (000000000000 us-east-1)` or `AWS …`. */
  target(env: string): Promise<string>;
  /** Lets go of the clients' connections. */
  close(): void;
}
