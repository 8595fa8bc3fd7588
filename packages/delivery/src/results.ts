import type { GateOutcome, GateReport } from './gates/gate.ts';

// What each command of the delivery half answers. Plain data: the CLI prints it, `--json` prints it as it is.

export type { GateOutcome, GateReport };

export interface JobSummary {
  readonly name: string;
  /** On the service's clock; absent when it did not say. */
  readonly seconds?: number;
  /** False: an earlier run had done it. */
  readonly ran: boolean;
}

export interface VersionRef {
  readonly arn: string;
  readonly version: number;
}

export interface TrainResult {
  readonly model: string;
  /** 12 hex digits of the digest over source and data. */
  readonly runId: string;
  readonly outcome: GateOutcome;
  /** The version that now waits in the registry; absent when the gate failed or could not be measured. */
  readonly registered?: VersionRef;
  /** True: an earlier run with the same source and data had already done all of it. */
  readonly found: boolean;
  readonly champion?: VersionRef;
  readonly report: GateReport;
  readonly data: { readonly uri: string; readonly digest: string };
  readonly artifact: string;
  /** S3 URIs of what was written beside the run. */
  readonly evidence: {
    readonly report: string;
    readonly reportText: string;
    readonly evaluation: string;
    readonly predictions: string;
  };
  /** The report as Markdown, as it lies in S3 at `evidence.reportText`. */
  readonly reportMarkdown: string;
  readonly jobs: { readonly prepare: JobSummary; readonly train: JobSummary; readonly evaluate: JobSummary };
}

export interface DecisionResult {
  readonly model: string;
  readonly version: number;
  readonly arn: string;
  readonly kind: 'approve' | 'reject';
  /** False: it stood already, nothing was changed. */
  readonly changed: boolean;
  readonly sequence?: number;
  readonly who: string;
  readonly why: string;
  /** The gate's outcome that was decided on. */
  readonly gate: GateOutcome;
  readonly override: boolean;
}

export type ModelReleaseState =
  /** Released by this command. */
  | 'released'
  /** Serves what it should already. */
  | 'unchanged'
  /** Nothing has been approved (or nothing has passed) yet. */
  | 'waiting'
  /** It cannot go where it should; `reason` says why, and what serves stays. */
  | 'blocked';

export interface ModelRelease {
  readonly model: string;
  readonly endpoint: string;
  readonly state: ModelReleaseState;
  readonly live?: VersionRef;
  readonly from?: VersionRef;
  readonly reason: string;
  /** For a multi-model endpoint, the key under its prefix. */
  readonly target?: string;
}

export interface EndpointRelease {
  readonly endpoint: string;
  readonly config: string;
  readonly changed: boolean;
  readonly sequence?: number;
}

export interface ApplyResult {
  readonly env: string;
  readonly models: readonly ModelRelease[];
  readonly endpoints: readonly EndpointRelease[];
  /** Something was released by this command. */
  readonly changed: boolean;
}

export interface RollbackResult {
  readonly env: string;
  readonly model: string;
  readonly endpoint: string;
  readonly from: VersionRef;
  readonly to: VersionRef;
  readonly changed: boolean;
  readonly sequence?: number;
}

export interface InvokeResult {
  readonly model: string;
  readonly env: string;
  readonly endpoint: string;
  readonly target?: string;
  readonly version?: number;
  readonly contentType: string;
  readonly body: Uint8Array;
}

export interface VersionStatus extends VersionRef {
  readonly gate: GateOutcome | 'unknown';
  readonly approval: 'approved' | 'rejected' | 'pending';
  readonly createdAt?: string;
  /** `m:` metrics of the package, as written at registration. */
  readonly metrics: Readonly<Record<string, string>>;
}

export interface EnvironmentStatus {
  readonly env: string;
  readonly endpoint: string;
  /** As Describe words it, or `Absent`. */
  readonly health: string;
  readonly config?: string;
  readonly live?: VersionRef;
  readonly target?: string;
  /** What the next `apply` would do. */
  readonly next: {
    readonly state: 'none' | 'release' | 'waiting' | 'blocked';
    readonly to?: VersionRef;
    readonly reason: string;
  };
}

export interface ModelStatus {
  readonly model: string;
  readonly group: string;
  readonly newest?: VersionStatus;
  readonly approved?: VersionRef;
  /** Newest first, at most 20. */
  readonly versions: readonly VersionStatus[];
  readonly environments: readonly EnvironmentStatus[];
}

export interface StatusResult {
  readonly project: string;
  readonly models: readonly ModelStatus[];
}
