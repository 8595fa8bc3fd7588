import { keys } from '../names.ts';
import type { ProjectObjects } from '../objects.ts';
import { ReleaseLog } from './log.ts';
import type { LogRecord } from './log.ts';

/** One model moving to another version. */
export interface Move {
  readonly model: string;
  readonly from?: string;
  readonly to: string;
  readonly version: number;
  /** The decision's sentence. */
  readonly why: string;
  readonly rollback?: boolean;
  /** What had been decided and registered when this was: older decisions are superseded by it. */
  readonly considered: Considered;
}

export interface Considered {
  /** Sequence of the newest decision. */
  readonly decision: number;
  /** Newest version that could have been chosen without an approval. */
  readonly version: number;
}

/** Written before the first change. */
export interface Intent {
  readonly kind: 'intent';
  readonly moves: readonly Move[];
  readonly config: string;
  readonly who: string;
}

/** Written after the last one. `superseded`: a later command found the intent open and went another way. */
export interface Outcome {
  readonly kind: 'outcome';
  readonly intent: number;
  readonly outcome: 'healthy' | 'taken-back' | 'failed' | 'superseded';
  readonly detail: string;
  readonly who: string;
}

export interface ReleaseRecord extends LogRecord<ReleaseState> {
  readonly entry: Intent | Outcome;
}

export interface Healthy {
  readonly arn: string;
  readonly version: number;
  /** Of the intent. */
  readonly sequence: number;
  readonly at: string;
  readonly config: string;
}

export interface ModelReleases {
  /** Newest first, at most `HISTORY_MAX`. Each was verified live. */
  readonly healthy: readonly Healthy[];
  /** Of the newest healthy release. */
  readonly considered: Considered;
}

export interface ReleaseState {
  readonly models: Readonly<Record<string, ModelReleases>>;
  /** An intent whose outcome is not recorded: its command is at work, or was killed. */
  readonly open?: { readonly sequence: number; readonly at: string; readonly intent: Intent };
  /** The config of the newest healthy release. */
  readonly config?: string;
}

export type EndpointLog = ReleaseLog<ReleaseRecord>;

export const noReleases: ReleaseState = { models: {} };
export const nothingConsidered: Considered = { decision: 0, version: 0 };

const HISTORY_MAX = 50;

export function releaseLog(objects: ProjectObjects, env: string, endpoint: string): EndpointLog {
  return new ReleaseLog<ReleaseRecord>(objects, keys.releases(env, endpoint));
}

/** The state after one more record. */
export function foldRelease(state: ReleaseState, entry: Intent | Outcome, sequence: number, at: string): ReleaseState {
  if (entry.kind === 'intent') return { ...state, open: { sequence, at, intent: entry } };
  const { open, ...rest } = state;
  if (open === undefined || open.sequence !== entry.intent) return state;
  if (entry.outcome !== 'healthy') return rest;
  const models: Record<string, ModelReleases> = { ...state.models };
  for (const move of open.intent.moves) {
    const earlier = models[move.model]?.healthy ?? [];
    const release = { arn: move.to, version: move.version, sequence: open.sequence, at, config: open.intent.config };
    models[move.model] = { healthy: [release, ...earlier].slice(0, HISTORY_MAX), considered: move.considered };
  }
  return { models, config: open.intent.config };
}
