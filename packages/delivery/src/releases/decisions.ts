import type { GateOutcome } from '../gates/gate.ts';
import { keys, versionOf } from '../names.ts';
import { ReleaseLog } from './log.ts';
import type { LogRecord } from './log.ts';
import type { ProjectObjects } from '../objects.ts';

/** What someone decided about a version. */
export interface Decision {
  readonly kind: 'approve' | 'reject' | 'rollback';
  readonly arn: string;
  /** Only for this environment; absent: for all. A rollback always names one. */
  readonly env?: string;
  /** Of a rollback: what served before. */
  readonly from?: string;
  readonly who: string;
  readonly why: string;
  readonly evidence?: { readonly gate: GateOutcome | 'unknown'; readonly report?: string };
  /** Approved although the gate was not passed. */
  readonly override?: boolean;
  /** Made elsewhere (Studio, a script) and taken up here. */
  readonly adopted?: boolean;
  /** When the package was last changed as this decision was recorded: tells a change elsewhere from our own crash. */
  readonly packageModifiedAt?: string;
}

export interface DecisionRecord extends LogRecord<DecisionState> {
  readonly decision: Decision;
}

/** What stands about one version. */
export interface Standing {
  readonly arn: string;
  readonly verdict: 'approved' | 'rejected';
  /** Of the newest approval for all environments; absent after a rejection or when there is none. */
  readonly sequence?: number;
  /** Of the newest approval for one environment. */
  readonly environments?: Readonly<Record<string, number>>;
  /** Of the newest decision on it. */
  readonly decided: number;
  readonly who: string;
  readonly packageModifiedAt?: string;
}

export interface Rollback {
  readonly sequence: number;
  readonly from: string;
  readonly to: string;
  /** What was rolled back from here, with the sequence of when: it comes back only by a later approval. */
  readonly left: Readonly<Record<string, number>>;
}

/** All that earlier decisions still mean. */
export interface DecisionState {
  /** By ARN. Rejected and approved versions, at most `STANDINGS_MAX`, the oldest decisions forgotten first. */
  readonly versions: Readonly<Record<string, Standing>>;
  /** The newest rollback of each environment. */
  readonly rollbacks: Readonly<Record<string, Rollback>>;
  /** The newest decision that says where to go (an approval or a rollback). */
  readonly course?: {
    readonly kind: 'approve' | 'rollback';
    readonly arn: string;
    readonly env?: string;
    readonly sequence: number;
  };
}

export type DecisionLog = ReleaseLog<DecisionRecord>;

export const noDecisions: DecisionState = { versions: {}, rollbacks: {} };

const STANDINGS_MAX = 500;
const LEFT_MAX = 100;

export function decisionLog(objects: ProjectObjects, model: string): DecisionLog {
  return new ReleaseLog<DecisionRecord>(objects, keys.decisions(model));
}

/** The state after one more decision. */
export function foldDecision(state: DecisionState, decision: Decision, sequence: number): DecisionState {
  const { arn, env } = decision;
  const before = state.versions[arn];
  if (decision.kind === 'rollback') {
    if (env === undefined || decision.from === undefined) return state;
    const left = newest({ ...state.rollbacks[env]?.left, [decision.from]: sequence });
    const rollback = { sequence, from: decision.from, to: arn, left };
    return {
      ...state,
      rollbacks: { ...state.rollbacks, [env]: rollback },
      course: { kind: 'rollback', arn, env, sequence },
    };
  }
  const seen = decision.packageModifiedAt === undefined ? {} : { packageModifiedAt: decision.packageModifiedAt };
  const common = { arn, decided: sequence, who: decision.who, ...seen };
  if (decision.kind === 'reject') {
    const standing: Standing = { ...common, verdict: 'rejected' };
    return { ...state, versions: limited({ ...state.versions, [arn]: standing }) };
  }
  const kept = before?.verdict === 'approved' ? before : undefined;
  const everywhere = env === undefined ? sequence : kept?.sequence;
  const environments = env === undefined ? kept?.environments : { ...kept?.environments, [env]: sequence };
  const standing: Standing = {
    ...common,
    verdict: 'approved',
    ...(everywhere === undefined ? {} : { sequence: everywhere }),
    ...(environments === undefined ? {} : { environments }),
  };
  return {
    ...state,
    versions: limited({ ...state.versions, [arn]: standing }),
    course: { kind: 'approve', arn, sequence, ...(env === undefined ? {} : { env }) },
  };
}

/** The sequence of the newest approval of a version that counts in an environment; undefined if it is not approved. */
export function approvedAt(state: DecisionState, arn: string, env: string): number | undefined {
  const standing = state.versions[arn];
  if (standing?.verdict !== 'approved') return undefined;
  const sequences = [standing.sequence, standing.environments?.[env]].filter((one) => one !== undefined);
  return sequences.length === 0 ? undefined : Math.max(...sequences);
}

export function isRejected(state: DecisionState, arn: string): boolean {
  return state.versions[arn]?.verdict === 'rejected';
}

function limited(versions: Record<string, Standing>): Record<string, Standing> {
  const all = Object.values(versions);
  if (all.length <= STANDINGS_MAX) return versions;
  const kept = all.toSorted((a, b) => b.decided - a.decided).slice(0, STANDINGS_MAX);
  return Object.fromEntries(kept.map((standing) => [standing.arn, standing]));
}

function newest(left: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(left)
      .toSorted(([, a], [, b]) => b - a)
      .slice(0, LEFT_MAX),
  );
}

/** For people: `v3`. */
export function shown(arn: string): string {
  const version = versionOf(arn);
  return version === undefined ? arn : `v${version}`;
}
