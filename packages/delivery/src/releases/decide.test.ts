import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { consideredNow, decide, lastStanding } from './decide.ts';
import type { Facts } from './decide.ts';
import { approvedAt, foldDecision, isRejected, noDecisions } from './decisions.ts';
import type { Decision, DecisionState } from './decisions.ts';
import { foldRelease, noReleases } from './releases.ts';
import type { Intent, ReleaseState } from './releases.ts';

const arnOf = (version: number): string =>
  `arn:aws:sagemaker:us-east-1:000000000000:model-package/demo-churn/${version}`;

/** A small world in which decisions and releases follow each other as they do in the product. */
class World {
  decisions: DecisionState = noDecisions;
  decisionSequence = 0;
  releases: ReleaseState = noReleases;
  releaseSequence = 0;
  live: string | undefined;
  readonly requires: 'none' | 'approved';
  passed: { arn: string; version: number }[] = [];

  constructor(requires: 'none' | 'approved' = 'approved') {
    this.requires = requires;
  }

  decideOn(kind: Decision['kind'], version: number, more: Partial<Decision> = {}): this {
    this.decisionSequence += 1;
    const decision: Decision = { kind, arn: arnOf(version), who: 'ana', why: '', ...more };
    this.decisions = foldDecision(this.decisions, decision, this.decisionSequence);
    return this;
  }

  register(version: number): this {
    this.passed = [{ arn: arnOf(version), version }, ...this.passed];
    return this;
  }

  facts(): Facts {
    return {
      env: 'production',
      requires: this.requires,
      decisions: this.decisions,
      decisionSequence: this.decisionSequence,
      releases: this.releases.models['churn'],
      live: this.live,
      passed: this.requires === 'none' ? this.passed : [],
    };
  }

  /** What `apply` does. */
  apply(outcome: 'healthy' | 'taken-back' = 'healthy'): ReturnType<typeof decide> {
    const facts = this.facts();
    const course = decide(facts);
    if (course.kind !== 'release') return course;
    const version = Number(course.arn.split('/').at(-1));
    const move = { model: 'churn', to: course.arn, version, why: course.why, considered: consideredNow(facts) };
    const intent: Intent = { kind: 'intent', moves: [move], config: 'c', who: 'ana' };
    this.releaseSequence += 1;
    const opened = this.releaseSequence;
    this.releases = foldRelease(this.releases, intent, opened, 'now');
    this.releaseSequence += 1;
    const end = { kind: 'outcome', intent: opened, outcome, detail: '', who: 'ana' } as const;
    this.releases = foldRelease(this.releases, end, this.releaseSequence, 'now');
    if (outcome === 'healthy') this.live = course.arn;
    return course;
  }

  rollBack(): string | undefined {
    if (this.live === undefined) return undefined;
    const to = lastStanding(this.facts(), this.live);
    if (to === undefined) return undefined;
    this.decideOn('rollback', Number(to.split('/').at(-1)), { env: 'production', from: this.live });
    return to;
  }
}

describe('where a model goes', () => {
  test('waits until something is approved', () => {
    expect(new World().apply()).toMatchObject({ kind: 'waiting' });
  });

  test('an approved version is released once, and then holds', () => {
    const world = new World().decideOn('approve', 1);
    expect(world.apply()).toMatchObject({ kind: 'release', arn: arnOf(1) });
    expect(world.apply()).toMatchObject({ kind: 'hold', arn: arnOf(1) });
  });

  test('the newest approval decides, not the newest version', () => {
    const world = new World().decideOn('approve', 3).decideOn('approve', 2);
    expect(world.apply()).toMatchObject({ kind: 'release', arn: arnOf(2) });
    expect(world.apply()).toMatchObject({ kind: 'hold', arn: arnOf(2) });
  });

  test('rejecting the live version releases the last healthy approved one, exactly once', () => {
    const world = new World().decideOn('approve', 1);
    world.apply();
    world.decideOn('approve', 2);
    world.apply();
    world.decideOn('reject', 2);
    expect(world.apply()).toMatchObject({ kind: 'release', arn: arnOf(1), rollback: true });
    expect(world.apply()).toMatchObject({ kind: 'hold', arn: arnOf(1) });
  });

  test('rejecting the live version with none left keeps it and says so', () => {
    const world = new World().decideOn('approve', 1);
    world.apply();
    world.decideOn('reject', 1);
    expect(world.apply()).toMatchObject({ kind: 'blocked' });
    expect(world.live).toBe(arnOf(1));
  });

  test('rejecting a version that does not serve changes nothing', () => {
    const world = new World().decideOn('approve', 1);
    world.apply();
    world.decideOn('reject', 7);
    expect(world.apply()).toMatchObject({ kind: 'hold', arn: arnOf(1) });
  });

  test('after a rollback nothing moves until someone approves again', () => {
    const world = new World().decideOn('approve', 1);
    world.apply();
    world.decideOn('approve', 2);
    world.apply();
    expect(world.rollBack()).toBe(arnOf(1));
    expect(world.apply()).toMatchObject({ kind: 'release', arn: arnOf(1), rollback: true });
    expect(world.apply()).toMatchObject({ kind: 'hold', arn: arnOf(1) });
    world.decideOn('approve', 2);
    expect(world.apply()).toMatchObject({ kind: 'release', arn: arnOf(2) });
  });

  test('a version that was rolled back from is not what a later rejection falls back to', () => {
    const world = new World();
    for (const version of [1, 2, 3]) {
      world.decideOn('approve', version);
      world.apply();
    }
    expect(world.rollBack()).toBe(arnOf(2));
    world.apply();
    world.decideOn('reject', 2);
    expect(world.apply()).toMatchObject({ kind: 'release', arn: arnOf(1) });
  });

  test('a release that was taken back is tried again by the next apply', () => {
    const world = new World().decideOn('approve', 1);
    world.apply();
    world.decideOn('approve', 2);
    world.apply('taken-back');
    expect(world.live).toBe(arnOf(1));
    expect(decide(world.facts())).toMatchObject({ kind: 'release', arn: arnOf(2) });
  });

  test('an approval for another environment does not count here', () => {
    const world = new World().decideOn('approve', 1, { env: 'qa' });
    expect(world.apply()).toMatchObject({ kind: 'waiting' });
  });

  test('where nothing needs approval the newest passed version goes, and stays away after a rollback', () => {
    const world = new World('none').register(1);
    expect(world.apply()).toMatchObject({ kind: 'release', arn: arnOf(1) });
    world.register(2);
    expect(world.apply()).toMatchObject({ kind: 'release', arn: arnOf(2) });
    expect(world.rollBack()).toBe(arnOf(1));
    world.apply();
    world.register(3);
    expect(world.apply()).toMatchObject({ kind: 'hold', arn: arnOf(1) });
    world.decideOn('approve', 3);
    expect(world.apply()).toMatchObject({ kind: 'release', arn: arnOf(3) });
  });
});

const happening = fc.oneof(
  fc.record({
    what: fc.constantFrom('approve', 'reject') as fc.Arbitrary<'approve' | 'reject'>,
    v: fc.integer({ min: 1, max: 5 }),
  }),
  fc.record({ what: fc.constantFrom('apply', 'fail', 'rollback', 'train') }),
);
type Happening = { what: string; v?: number };

function live(world: World, one: Happening, next: () => number): void {
  if (one.what === 'approve' || one.what === 'reject') world.decideOn(one.what, one.v ?? 1);
  if (one.what === 'apply') world.apply();
  if (one.what === 'fail') world.apply('taken-back');
  if (one.what === 'rollback') world.rollBack();
  if (one.what === 'train') world.register(next());
}

function story(requires: 'none' | 'approved', happenings: readonly Happening[]): World {
  const world = new World(requires);
  let version = 0;
  for (const one of happenings) live(world, one, () => (version += 1));
  return world;
}

describe('whatever happened before', () => {
  const histories = fc.tuple(
    fc.constantFrom('none' as const, 'approved' as const),
    fc.array(happening, { maxLength: 40 }),
  );

  test('a healthy release settles it: the next decision never releases again', () => {
    fc.assert(
      fc.property(histories, ([requires, happenings]) => {
        const world = story(requires, happenings);
        world.apply();
        expect(world.apply().kind).not.toBe('release');
      }),
    );
  });

  test('a rejected version is never released', () => {
    fc.assert(
      fc.property(histories, ([requires, happenings]) => {
        const world = story(requires, happenings);
        const course = decide(world.facts());
        if (course.kind === 'release') expect(isRejected(world.decisions, course.arn)).toBe(false);
      }),
    );
  });

  test('where approval is required, only what is approved or was healthy here is released', () => {
    fc.assert(
      fc.property(histories, ([, happenings]) => {
        const world = story('approved', happenings);
        const course = decide(world.facts());
        if (course.kind !== 'release') return;
        const approved = approvedAt(world.decisions, course.arn, 'production') !== undefined;
        const healthy = world.facts().releases?.healthy.some((entry) => entry.arn === course.arn) ?? false;
        expect(approved || healthy).toBe(true);
      }),
    );
  });

  test('rejecting a version that neither serves nor is about to changes nothing', () => {
    fc.assert(
      fc.property(histories, ([requires, happenings]) => {
        const world = story(requires, happenings);
        const before = decide(world.facts());
        world.decideOn('reject', 99);
        expect(decide(world.facts())).toEqual(before);
      }),
    );
  });

  test('a rollback is undone only by an approval', () => {
    fc.assert(
      fc.property(
        histories,
        fc.array(fc.constantFrom('apply', 'fail', 'train'), { maxLength: 8 }),
        (history, after) => {
          const world = story(...history);
          const to = world.rollBack();
          if (to === undefined) return;
          world.apply();
          let version = 50;
          for (const what of after) live(world, { what }, () => (version += 1));
          expect(world.live).toBe(to);
        },
      ),
    );
  });
});
