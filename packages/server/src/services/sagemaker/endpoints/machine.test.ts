import type { EffectResult } from '@slipway/kit/machine';
import { describe, expect, it } from 'vitest';
import { TIMINGS } from '../../../timing.ts';
import {
  newEndpoint,
  statusOf,
  step,
  type Deployment,
  type EndpointEffect,
  type EndpointSignal,
  type EndpointState,
} from './machine.ts';

type Kind = EndpointEffect['kind'];
type Incoming = EndpointSignal | EffectResult<EndpointEffect>;

const deployment = (n: number): Deployment => ({
  configName: `config-${n}`,
  startedAt: n,
  plan: { id: `fleet-${n}`, owner: { account: '0', region: 'r' }, endpoint: 'e', variants: [] },
  variants: [],
});
const done = (effect: Kind, result: unknown = null): Incoming => ({ kind: 'effect-done', effect, id: 'e', result });
const failed = (effect: Kind, message: string): Incoming => ({ kind: 'effect-failed', effect, id: 'e', message });
const activated = (n: number, failure?: string): Incoming =>
  done('activate', { fleetId: `fleet-${n}`, ...(failure === undefined ? {} : { failure }) });
const update: Incoming = { kind: 'update', deployment: deployment(2) };
const restarted: Incoming = { kind: 'server-started' };

const nameOf = (effect: EndpointEffect): string =>
  'plan' in effect ? `${effect.kind} ${effect.plan.id}` : `${effect.kind} ${effect.fleetIds.join(' ')}`;

function play(signals: readonly Incoming[]): { state: EndpointState; effects: string[]; wakeAt: number | undefined } {
  let state = newEndpoint(deployment(1), 'e', 0, TIMINGS.instant);
  const effects: string[] = [];
  let wakeAt: number | undefined;
  for (const batch of [[], ...signals.map((signal) => [signal])]) {
    const next = step(TIMINGS.instant, state, batch, 1_000);
    ({ state, wakeAt } = next);
    effects.push(...(next.effects ?? []).map(nameOf));
  }
  return { state, effects, wakeAt };
}

const served = [done('provision', {}), activated(1)];

describe('an endpoint', () => {
  it.each<[string, Incoming[], string, string | undefined, string[]]>([
    [
      'is in service only after its route is set',
      [done('provision', {})],
      'Creating',
      undefined,
      ['provision 1', 'activate 1'],
    ],
    ['comes into service', served, 'InService', 'config-1', ['provision 1', 'activate 1']],
    [
      'fails for workers that do not start',
      [failed('provision', 'no ping')],
      'Failed',
      undefined,
      ['provision 1', 'retire 1'],
    ],
    [
      'updates by starting, swapping, and only then ending the old fleet',
      [...served, update, done('provision', {}), activated(2)],
      'InService',
      'config-2',
      ['provision 1', 'activate 1', 'provision 2', 'activate 2', 'retire 1'],
    ],
    [
      'comes back to its old config after an update that fails',
      [...served, update, failed('provision', 'no ping')],
      'InService',
      'config-1',
      ['provision 1', 'activate 1', 'provision 2', 'retire 2'],
    ],
    [
      'comes back also when the new fleet is lost before the swap',
      [...served, update, done('provision', {}), activated(2, 'no ping')],
      'InService',
      'config-1',
      ['provision 1', 'activate 1', 'provision 2', 'activate 2', 'retire 2'],
    ],
    [
      'is brought back after a restart',
      [...served, restarted, activated(1)],
      'InService',
      'config-1',
      ['provision 1', 'activate 1', 'activate 1'],
    ],
    [
      'keeps its old fleet through a restart in the middle of an update, whichever is up first',
      [...served, update, restarted, done('provision', {}), activated(2), done('activate', {})],
      'InService',
      'config-2',
      ['provision 1', 'activate 1', 'provision 2', 'activate 1', 'activate 2', 'retire 1'],
    ],
    [
      'is deleted with everything it has',
      [...served, { kind: 'delete' }, restarted],
      'Deleting',
      'config-1',
      ['provision 1', 'activate 1', 'remove 1'],
    ],
  ])('%s', (_what, signals, status, config, effects) => {
    const played = play(signals);
    expect(statusOf(played.state)).toBe(status);
    expect(played.state.current?.configName).toBe(config);
    expect(played.effects.map((effect) => effect.replace(/fleet-/g, ''))).toEqual(effects);
  });

  it('says why an update was taken back until the next update', () => {
    const back = [...served, update, done('provision', { failure: 'did not pass the ping health check' })];
    expect(play(back).state.failureReason).toBe('did not pass the ping health check');
    expect(play([...back, update]).state.failureReason).toBeUndefined();
  });

  it('tries again, later each time, when its workers cannot be brought back', () => {
    const once = play([...served, restarted, activated(1, 'no Python')]);
    expect(once.wakeAt).toBe(2_000);
    expect(statusOf(once.state)).toBe('InService');
    expect(step(TIMINGS.instant, once.state, [], 2_000).effects?.map(nameOf)).toEqual(['activate fleet-1']);
    const twice = play([...served, restarted, activated(1, 'no Python'), activated(1, 'no Python')]);
    expect(twice.wakeAt).toBe(3_000);
  });

  it('is gone once it is removed', () => {
    const { state } = play([...served, { kind: 'delete' }, done('remove')]);
    expect(state.phase).toBe('deleted');
  });
});
