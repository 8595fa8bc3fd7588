import type { AnswerTime } from '../aws.ts';
import type { OnEvent } from '../events.ts';
import { describeVersion, listVersions, setStatus } from '../registry.ts';
import type { ListedVersion, PackageStatus, Version } from '../registry.ts';
import type { Site } from '../site.ts';
import { decisionLog, foldDecision, noDecisions, shown } from './decisions.ts';
import type { Decision, DecisionRecord, DecisionState, Standing } from './decisions.ts';

/** A model's versions and all that was decided about them, with the registry and the log in step. */
export interface Decisions {
  readonly state: DecisionState;
  readonly sequence: number;
  /** Newest first. */
  readonly versions: readonly ListedVersion[];
}

/** What brings log and registry in step again. */
interface Difference {
  readonly version: Version;
  /** Take up what was decided elsewhere, or write our own decision to the package. */
  readonly cure: { readonly adopt: Decision } | { readonly project: PackageStatus };
}

/**
 * Reads decisions and versions. With `repair`, writes what is out of step: a decision made elsewhere (Studio, a script)
 * becomes a record of whoever made it; a decision of ours that never reached its package is projected again. Without,
 * nothing is written and the answer is as if it had been.
 */
export async function readDecisions(
  site: Site,
  model: string,
  group: string,
  options: { readonly repair: boolean; readonly onEvent: OnEvent },
): Promise<Decisions> {
  const log = decisionLog(site.objects, model);
  const [tail, versions] = await Promise.all([log.tail(), listVersions(site, group)]);
  let state = tail.record?.state ?? noDecisions;
  let sequence = tail.sequence;
  const differences = await findDifferences(site, state, versions);
  for (const { version, cure } of differences) {
    if ('project' in cure) {
      if (!options.repair) continue;
      await setStatus(site, version.arn, cure.project, version.description);
      const detail = `set to ${cure.project}, as was decided before`;
      options.onEvent({ type: 'change', subject: version.arn, detail, model });
      continue;
    }
    if (options.repair) {
      const record = await recordDecision(log, site.aws.time, (before) =>
        standsAlready(before.versions[version.arn], version.status) ? undefined : cure.adopt,
      );
      if (record !== undefined) {
        const made = `${cure.adopt.kind} by ${cure.adopt.who}, made elsewhere`;
        const detail = `${made}, taken up as decision ${record.sequence}`;
        options.onEvent({ type: 'change', subject: version.arn, detail, model });
        state = record.state;
        sequence = record.sequence;
      }
    } else {
      sequence += 1;
      state = foldDecision(state, cure.adopt, sequence);
    }
  }
  return { state, sequence, versions };
}

/** Appends a decision, made from the newest state; undefined when there is nothing to record. */
export async function recordDecision(
  log: ReturnType<typeof decisionLog>,
  time: AnswerTime,
  make: (state: DecisionState) => Decision | undefined,
): Promise<DecisionRecord | undefined> {
  return log.extend((tail) => {
    const before = tail.record?.state ?? noDecisions;
    const decision = make(before);
    if (decision === undefined) return undefined;
    const sequence = tail.sequence + 1;
    const state = foldDecision(before, decision, sequence);
    return { schemaVersion: '1', sequence, at: time.iso(), decision, state };
  });
}

async function findDifferences(
  site: Site,
  state: DecisionState,
  versions: readonly ListedVersion[],
): Promise<Difference[]> {
  const found: Difference[] = [];
  for (const listed of versions) {
    const standing = state.versions[listed.arn];
    if (standsAlready(standing, listed.status)) continue;
    const version = await describeVersion(site, listed.arn);
    if (version === undefined || standsAlready(standing, version.status)) continue;
    found.push({ version, cure: cureOf(standing, version) });
  }
  return found.toSorted((a, b) => (a.version.modifiedAt < b.version.modifiedAt ? -1 : 1));
}

function standsAlready(standing: Standing | undefined, status: PackageStatus): boolean {
  if (standing === undefined) return status === 'PendingManualApproval';
  return status === (standing.verdict === 'approved' ? 'Approved' : 'Rejected');
}

// A package that was last changed before our decision on it was recorded has not been changed since: our own command
// was interrupted between record and projection. Otherwise someone else changed it later, and that counts.
function cureOf(standing: Standing | undefined, version: Version): Difference['cure'] {
  const ours: PackageStatus = standing?.verdict === 'approved' ? 'Approved' : 'Rejected';
  const interrupted = standing !== undefined && standing.packageModifiedAt === version.modifiedAt;
  if (interrupted || version.status === 'PendingManualApproval') return { project: ours };
  return {
    adopt: {
      kind: version.status === 'Approved' ? 'approve' : 'reject',
      arn: version.arn,
      who: version.modifiedBy,
      why: version.description || `${shown(version.arn)} was decided outside of Slipway`,
      evidence: { gate: version.gate },
      adopted: true,
      packageModifiedAt: version.modifiedAt,
    },
  };
}
