import { approvedAt, isRejected, shown } from './decisions.ts';
import type { DecisionState } from './decisions.ts';
import { nothingConsidered } from './releases.ts';
import type { Considered, ModelReleases } from './releases.ts';

/** All that decides where a model goes in one environment. */
export interface Facts {
  readonly env: string;
  readonly requires: 'none' | 'approved';
  readonly decisions: DecisionState;
  /** Sequence of the newest decision; 0 for none. */
  readonly decisionSequence: number;
  /** This model's releases in this environment; undefined for none. */
  readonly releases: ModelReleases | undefined;
  /** What serves now, as Describe and the route map say. */
  readonly live: string | undefined;
  /** Versions whose gate passed, newest first. Only read where nothing needs an approval. */
  readonly passed: readonly { readonly arn: string; readonly version: number }[];
}

export type Course =
  /** Serve this one. `rollback`: it follows a rollback's record. */
  | { readonly kind: 'release'; readonly arn: string; readonly why: string; readonly rollback: boolean }
  /** What serves is right. */
  | { readonly kind: 'hold'; readonly arn: string; readonly why: string }
  /** Nothing serves, and nothing may yet. */
  | { readonly kind: 'waiting'; readonly why: string }
  /** It should leave what serves, and has nowhere to go: it stays, and says so. */
  | { readonly kind: 'blocked'; readonly why: string };

/**
 * Where a model goes: the newest decision that is younger than the newest release decides. Deciding again after the
 * release was recorded healthy gives `hold`, so a decision acts exactly once.
 *
 * Example: v1 serves, approved. Approving v2 gives `release v2`; rolling back from v2 gives `release v1`, and v1 holds
 * until a later approval; rejecting v1 while it serves releases the newest earlier healthy version that still stands.
 */
export function decide(facts: Facts): Course {
  const { decisions, env, live } = facts;
  const considered = facts.releases?.considered ?? nothingConsidered;
  const rollback = decisions.rollbacks[env];
  const approval = newestApproval(facts, considered.decision);
  const pending = rollback !== undefined && rollback.sequence > considered.decision ? rollback : undefined;
  if (pending !== undefined && pending.sequence > (approval?.sequence ?? 0) && !isRejected(decisions, pending.to)) {
    const why = `rolled back from ${shown(pending.from)} to ${shown(pending.to)}`;
    return pending.to === live
      ? { kind: 'hold', arn: live, why }
      : { kind: 'release', arn: pending.to, why, rollback: true };
  }
  if (approval !== undefined) return goTo(approval.arn, `${shown(approval.arn)} is approved`, live);
  if (live !== undefined && isRejected(decisions, live)) return leave(facts, live);
  const passed = newestPassed(facts, considered.version);
  if (passed !== undefined) return goTo(passed, `${shown(passed)} passed its gate`, live);
  if (live !== undefined) return { kind: 'hold', arn: live, why: stays(facts, live) };
  return restore(facts);
}

/** What a release that follows this decision has considered. */
export function consideredNow(facts: Facts): Considered {
  return { decision: facts.decisionSequence, version: facts.passed[0]?.version ?? 0 };
}

function goTo(arn: string, why: string, live: string | undefined): Course {
  return arn === live ? { kind: 'hold', arn, why } : { kind: 'release', arn, why, rollback: false };
}

function newestApproval(facts: Facts, after: number): { arn: string; sequence: number } | undefined {
  let newest: { arn: string; sequence: number } | undefined;
  for (const arn of Object.keys(facts.decisions.versions)) {
    const sequence = approvedAt(facts.decisions, arn, facts.env);
    if (sequence !== undefined && sequence > Math.max(after, newest?.sequence ?? 0)) newest = { arn, sequence };
  }
  return newest;
}

function newestPassed(facts: Facts, after: number): string | undefined {
  if (facts.requires !== 'none') return undefined;
  // After a rollback nothing moves by itself until someone approves again.
  const rollback = facts.decisions.rollbacks[facts.env];
  if (rollback !== undefined && !approvedSince(facts, rollback.sequence)) return undefined;
  return facts.passed.find((entry) => entry.version > after && !isRejected(facts.decisions, entry.arn))?.arn;
}

function approvedSince(facts: Facts, sequence: number): boolean {
  return newestApproval(facts, sequence) !== undefined;
}

/** The newest earlier release that was healthy here and still stands. */
export function lastStanding(facts: Facts, leaving: string): string | undefined {
  const { decisions, env, requires } = facts;
  const rollback = decisions.rollbacks[env];
  return facts.releases?.healthy.find(({ arn }) => {
    if (arn === leaving || isRejected(decisions, arn)) return false;
    const approved = approvedAt(decisions, arn, env);
    if ((approved ?? 0) < (rollback?.left[arn] ?? 0)) return false;
    return requires === 'none' || approved !== undefined;
  })?.arn;
}

function leave(facts: Facts, live: string): Course {
  const to = lastStanding(facts, live);
  if (to !== undefined) {
    const why = `${shown(live)} is rejected; ${shown(to)} is the last healthy one that still stands`;
    return { kind: 'release', arn: to, why, rollback: true };
  }
  const why = `${shown(live)} is rejected, but no earlier healthy version stands: it goes on serving`;
  return { kind: 'blocked', why };
}

/** Nothing serves although something did (a deleted endpoint): the newest release that still stands comes back. */
function restore(facts: Facts): Course {
  const to = lastStanding(facts, '');
  if (to !== undefined) {
    return { kind: 'release', arn: to, why: `${shown(to)} served here and is gone`, rollback: false };
  }
  const wanted = facts.requires === 'approved' ? 'no version is approved' : 'no version has passed its gate';
  return { kind: 'waiting', why: wanted };
}

function stays(facts: Facts, live: string): string {
  const rollback = facts.decisions.rollbacks[facts.env];
  if (rollback?.to === live && !approvedSince(facts, rollback.sequence)) {
    return `${shown(live)} stays after the rollback from ${shown(rollback.from)} until someone approves again`;
  }
  return `${shown(live)} serves`;
}
