import type { Instant } from '@slipway/kit/clock';
import type { EffectResult, Machine, Owner, Step } from '@slipway/kit/machine';
import type { FleetPlan } from '../../../serving/plan.ts';
import type { Timing } from '../../../timing.ts';
import type { EndpointStore } from './store.ts';

/**
 * An endpoint's life. A deployment is: start the new fleet (provision), swap the route to it in one assignment (activate),
 * end the old one when its requests are answered (retire). The status says InService only after the swap. A fleet that
 * cannot be started is taken back: a new endpoint is Failed, an updated one serves its old config with a FailureReason.
 */
export interface EndpointState {
  readonly phase: 'creating' | 'in-service' | 'updating' | 'failed' | 'deleting' | 'deleted';
  readonly name: string;
  readonly createdAt: Instant;
  readonly current?: Deployment;
  readonly pending?: Deployment;
  /** When the pending fleet's instances are there, on the clock. */
  readonly launchAt?: Instant;
  readonly failureReason?: string;
  /** How often the workers could not be brought back after a restart of the server. */
  readonly restoreFailures: number;
  readonly restoreAt?: Instant;
}

/** One deployment of an endpoint config. */
export interface Deployment {
  readonly configName: string;
  readonly startedAt: Instant;
  readonly plan: FleetPlan;
  /** What Describe shows of each variant. */
  readonly variants: readonly DeployedVariant[];
}

export interface DeployedVariant {
  readonly name: string;
  readonly weight: number;
  readonly instanceCount: number;
  readonly instanceType?: string;
  readonly image: string;
}

export type EndpointSignal =
  | { readonly kind: 'update'; readonly deployment: Deployment }
  | { readonly kind: 'delete' }
  /** The server has been started again: fleets live in memory only. */
  | { readonly kind: 'server-started' };

export type EndpointEffect =
  | { readonly kind: 'provision'; readonly plan: FleetPlan }
  | { readonly kind: 'activate'; readonly plan: FleetPlan }
  | { readonly kind: 'retire'; readonly fleetIds: readonly string[] }
  /** Takes the endpoint out of service and ends everything it has. */
  | { readonly kind: 'remove'; readonly endpoint: string; readonly fleetIds: readonly string[] };

/** Which fleet a `provision` or `activate` was about, and why it could not be started; neither when it was not wanted any more. */
export interface Activated {
  readonly fleetId?: string;
  readonly failure?: string;
}

type Incoming = EndpointSignal | EffectResult<EndpointEffect>;
type Decision = Step<EndpointState, EndpointEffect>;

const RESTORE_FIRST_MS = 1_000;
const RESTORE_LONGEST_MS = 60_000;
const REASON_MAX = 1024;

export function newEndpoint(deployment: Deployment, name: string, now: Instant, timing: Timing): EndpointState {
  const launchAt = now + timing.fleetLaunchMs;
  return { phase: 'creating', name, createdAt: now, pending: deployment, launchAt, restoreFailures: 0 };
}

export function endpointMachine(
  timing: Timing,
  store: EndpointStore,
  /** Told of each endpoint that is in service, so that a request waits for workers that are not there yet. */
  inService: (owner: Owner, endpoint: string) => void,
): Machine<EndpointState, EndpointSignal, EndpointEffect> {
  return {
    kind: 'endpoint',
    step: (state, signals, now) => step(timing, state, signals, now),
    project(_db, owner, key, state, now) {
      if (state.phase === 'deleted') store.remove(owner, key);
      else store.update(owner, key, state, now);
      // A server that was killed between the switch and its record finds the record only now, and its fleet is gone.
      if (state.phase === 'in-service' || state.phase === 'updating') inService(owner, state.name);
    },
  };
}

export function step(timing: Timing, from: EndpointState, signals: readonly Incoming[], now: Instant): Decision {
  let state = from;
  const effects: EndpointEffect[] = [];
  for (const signal of signals) {
    const decided = onSignal(timing, state, signal, now);
    state = decided.state;
    effects.push(...(decided.effects ?? []));
  }
  if (state.phase === 'deleted') return { state, effects, done: true };
  if (state.launchAt !== undefined && state.pending !== undefined) {
    if (now < state.launchAt) return { state, effects, wakeAt: state.launchAt };
    const { launchAt: _launched, ...launched } = state;
    return { state: launched, effects: [...effects, { kind: 'provision', plan: state.pending.plan }] };
  }
  if (state.restoreAt !== undefined && state.current !== undefined) {
    if (now < state.restoreAt) return { state, effects, wakeAt: state.restoreAt };
    const { restoreAt: _restoring, ...restoring } = state;
    return { state: restoring, effects: [...effects, { kind: 'activate', plan: state.current.plan }] };
  }
  return { state, effects };
}

function onSignal(timing: Timing, state: EndpointState, signal: Incoming, now: Instant): Decision {
  switch (signal.kind) {
    case 'update': {
      const { failureReason: _old, ...rest } = state;
      const launchAt = now + timing.fleetLaunchMs;
      return { state: { ...rest, phase: 'updating', pending: signal.deployment, launchAt } };
    }
    case 'delete': {
      const fleetIds = [state.current, state.pending].flatMap((deployment) => deployment?.plan.id ?? []);
      const { restoreAt: _restore, launchAt: _launch, ...rest } = state;
      return {
        state: { ...rest, phase: 'deleting' },
        effects: [{ kind: 'remove', endpoint: state.name, fleetIds }],
      };
    }
    case 'server-started':
      // While it is being created, updated or deleted, effects of an earlier process are pending and say what to do.
      if (state.current === undefined || state.phase === 'deleting') return { state };
      return { state, effects: [{ kind: 'activate', plan: state.current.plan }] };
    default:
      return onResult(state, signal, now);
  }
}

function onResult(state: EndpointState, result: EffectResult<EndpointEffect>, now: Instant): Decision {
  if (result.effect === 'remove') return { state: { ...state, phase: 'deleted' } };
  if (state.phase === 'deleting' || result.effect === 'retire') return { state };
  if (result.effect === 'provision') {
    if (state.pending === undefined) return { state };
    const { failure } = result.kind === 'effect-failed' ? { failure: result.message } : (result.result as Activated);
    if (failure !== undefined) return takeBack(state, state.pending, failure);
    return { state, effects: [{ kind: 'activate', plan: state.pending.plan }] };
  }
  if (result.kind === 'effect-failed') return retryRestore(state, now);
  const { fleetId, failure } = result.result as Activated;
  if (state.pending !== undefined && fleetId === state.pending.plan.id) {
    return failure === undefined ? switched(state, state.pending) : takeBack(state, state.pending, failure);
  }
  if (failure === undefined) return { state: { ...state, restoreFailures: 0 } };
  return fleetId === state.current?.plan.id ? retryRestore(state, now) : { state };
}

/** The route leads to the new fleet now. */
function switched(state: EndpointState, pending: Deployment): Decision {
  const { pending: _done, ...rest } = state;
  const retired: readonly EndpointEffect[] =
    state.current === undefined ? [] : [{ kind: 'retire', fleetIds: [state.current.plan.id] }];
  return { state: { ...rest, phase: 'in-service', current: pending, restoreFailures: 0 }, effects: retired };
}

function takeBack(state: EndpointState, pending: Deployment, message: string): Decision {
  const failureReason = message.slice(0, REASON_MAX);
  const { pending: _failed, ...rest } = state;
  const effects: readonly EndpointEffect[] = [{ kind: 'retire', fleetIds: [pending.plan.id] }];
  if (state.current !== undefined) return { state: { ...rest, phase: 'in-service', failureReason }, effects };
  // A failed endpoint keeps the name of the config that failed, for Describe.
  return { state: { ...rest, phase: 'failed', pending, failureReason }, effects };
}

/** An endpoint that was in service stays so on AWS whatever its hosts do; its workers are tried again. */
function retryRestore(state: EndpointState, now: Instant): Decision {
  const delayMs = Math.min(RESTORE_FIRST_MS * 2 ** state.restoreFailures, RESTORE_LONGEST_MS);
  return { state: { ...state, restoreFailures: state.restoreFailures + 1, restoreAt: now + delayMs } };
}

const STATUSES = {
  creating: 'Creating',
  'in-service': 'InService',
  updating: 'Updating',
  failed: 'Failed',
  deleting: 'Deleting',
  deleted: 'Deleting',
} as const;

export function statusOf(state: EndpointState): (typeof STATUSES)[EndpointState['phase']] {
  return STATUSES[state.phase];
}
