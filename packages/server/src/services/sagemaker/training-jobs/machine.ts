import type { Instant } from '@slipway/kit/clock';
import type { EffectResult, Machine, Step } from '@slipway/kit/machine';
import type { JobExit } from '../../../engine/engine.ts';
import type { Timing } from '../../../timing.ts';
import { failureOf, outcomeOf, runSeconds } from '../jobs/outcome.ts';
import type { JobStore } from '../jobs/store.ts';
import type { FinalMetric } from './metrics.ts';

/**
 * A training job's life: Starting → Downloading → Training → Uploading → Completed, or by way of Stopping to Stopped, or
 * to Failed from anywhere. The status becomes terminal only after everything a client may then read is in place; the
 * job's folder is cleared after that.
 */
export interface TrainingJobState {
  readonly phase: 'starting' | 'downloading' | 'training' | 'uploading' | 'clearing' | 'ended';
  readonly jobId: string;
  readonly createdAt: Instant;
  readonly status: 'InProgress' | 'Completed' | 'Failed' | 'Stopping' | 'Stopped';
  readonly secondaryStatus: string;
  readonly transitions: readonly Transition[];
  readonly stopRequested: boolean;
  readonly hasMetrics: boolean;
  readonly trainingStartTime?: Instant;
  readonly trainingEndTime?: Instant;
  readonly runSeconds?: number;
  readonly exit?: JobExit;
  readonly failureReason?: string;
  readonly artifacts?: string;
  readonly metrics?: readonly FinalMetric[];
  /** Effects of the uploading phase that have not answered yet. */
  readonly awaited: readonly TrainingEffect['kind'][];
}

export interface Transition {
  readonly status: string;
  readonly startTime: Instant;
  readonly endTime?: Instant;
  readonly message: string;
}

export type TrainingSignal = { readonly kind: 'stop' };

export type TrainingEffect =
  | { readonly kind: 'download'; readonly jobId: string }
  | { readonly kind: 'run'; readonly jobId: string }
  | { readonly kind: 'halt'; readonly jobId: string }
  | { readonly kind: 'measure'; readonly jobId: string }
  /** `kept`: only what there is; a stopped job has no artifact unless it wrote one. */
  | { readonly kind: 'upload'; readonly jobId: string; readonly kept: boolean }
  | { readonly kind: 'clear'; readonly jobId: string };

type Incoming = TrainingSignal | EffectResult<TrainingEffect>;
type Decision = Step<TrainingJobState, TrainingEffect>;

const MESSAGES: Readonly<Record<string, string>> = {
  Starting: 'Preparing the instances for training',
  Downloading: 'Downloading input data',
  Training: 'Training image download completed. Training in progress.',
  Uploading: 'Uploading generated training model',
  Completed: 'Training job completed',
  Stopping: 'Stopping the training job',
  Stopped: 'Training job stopped',
  MaxRuntimeExceeded: 'Training job runtime exceeded MaxRuntimeInSeconds provided',
};

export function newTrainingJob(jobId: string, now: Instant, hasMetrics: boolean): TrainingJobState {
  const blank: TrainingJobState = {
    phase: 'starting',
    jobId,
    createdAt: now,
    status: 'InProgress',
    secondaryStatus: '',
    transitions: [],
    stopRequested: false,
    hasMetrics,
    awaited: [],
  };
  return enter(blank, 'Starting', now);
}

export function trainingJobMachine(
  timing: Timing,
  store: JobStore,
): Machine<TrainingJobState, TrainingSignal, TrainingEffect> {
  return {
    kind: 'training-job',
    step: (state, signals, now) => step(timing, state, signals, now),
    project(_db, owner, key, state, now) {
      const terminal = isTerminal(state);
      store.update(
        owner,
        key,
        {
          status: state.status,
          secondaryStatus: state.secondaryStatus,
          endedAt: terminal ? state.trainingEndTime : undefined,
          detail: detailOf(state),
        },
        now,
      );
    },
  };
}

export function step(timing: Timing, from: TrainingJobState, signals: readonly Incoming[], now: Instant): Decision {
  let state = from;
  const effects: TrainingEffect[] = [];
  for (const signal of signals) {
    const decided = signal.kind === 'stop' ? onStop(state, now) : onResult(state, signal, now);
    state = decided.state;
    effects.push(...(decided.effects ?? []));
  }
  if (state.phase === 'starting') {
    const due = state.createdAt + timing.trainingStartMs;
    if (state.stopRequested) return finish(state, 'Stopped', now, effects);
    if (now < due) return { state, effects, wakeAt: due };
    const started = { ...enter(state, 'Downloading', now), phase: 'downloading' as const, trainingStartTime: now };
    return { state: started, effects: [...effects, { kind: 'download', jobId: state.jobId }] };
  }
  return { state, effects, done: state.phase === 'ended' };
}

function onStop(state: TrainingJobState, now: Instant): Decision {
  if (state.stopRequested || isTerminal(state)) return { state };
  const stopping = { ...enter(state, 'Stopping', now), status: 'Stopping' as const, stopRequested: true };
  const effects: TrainingEffect[] = state.phase === 'training' ? [{ kind: 'halt', jobId: state.jobId }] : [];
  return { state: stopping, effects };
}

function onResult(state: TrainingJobState, result: EffectResult<TrainingEffect>, now: Instant): Decision {
  const failure = failureOf(result);
  switch (result.effect) {
    case 'download':
      if (state.phase !== 'downloading') return { state };
      if (failure !== undefined) return fail(state, failure, now);
      if (state.stopRequested) return finish(state, 'Stopped', now, []);
      return {
        state: { ...enter(state, 'Training', now), phase: 'training' },
        effects: [{ kind: 'run', jobId: state.jobId }],
      };
    case 'run':
      if (state.phase !== 'training') return { state };
      if (failure !== undefined) return fail(state, failure, now);
      return onExit(state, (result as { result: unknown }).result as JobExit, now);
    case 'measure':
    case 'upload':
      return onGathered(state, result, now);
    case 'halt':
      return { state };
    case 'clear':
      return { state: { ...state, phase: 'ended' }, done: true };
  }
}

/** After the process: keep what it made unless it failed, and read the metrics from its log in either case. */
function onExit(state: TrainingJobState, exit: JobExit, now: Instant): Decision {
  const outcome = state.stopRequested ? { kind: 'stopped' as const } : outcomeOf(exit);
  const gathered = { ...state, phase: 'uploading' as const, exit, runSeconds: runSeconds(exit) };
  const effects: TrainingEffect[] = [];
  if (outcome.kind !== 'failed')
    effects.push({ kind: 'upload', jobId: state.jobId, kept: outcome.kind !== 'completed' });
  if (state.hasMetrics) effects.push({ kind: 'measure', jobId: state.jobId });
  let next: TrainingJobState = { ...gathered, awaited: effects.map((effect) => effect.kind) };
  if (outcome.kind === 'failed') next = { ...next, failureReason: outcome.reason };
  if (outcome.kind === 'timed-out') next = { ...enter(next, 'MaxRuntimeExceeded', now), status: 'Stopping' };
  if (outcome.kind === 'completed') next = enter(next, 'Uploading', now);
  return effects.length === 0 ? conclude(next, now) : { state: next, effects };
}

function onGathered(state: TrainingJobState, result: EffectResult<TrainingEffect>, now: Instant): Decision {
  if (state.phase !== 'uploading') return { state };
  let next: TrainingJobState = { ...state, awaited: state.awaited.filter((kind) => kind !== result.effect) };
  if (result.effect === 'upload') {
    const failure = failureOf(result);
    if (failure !== undefined) next = { ...next, failureReason: failure };
    else {
      const { artifacts } = (result as { result: unknown }).result as { artifacts?: string };
      if (artifacts !== undefined) next = { ...next, artifacts };
    }
  }
  // Metrics that cannot be read do not fail a job that has trained.
  if (result.effect === 'measure' && result.kind === 'effect-done') {
    next = { ...next, metrics: result.result as readonly FinalMetric[] };
  }
  return next.awaited.length > 0 ? { state: next } : conclude(next, now);
}

function conclude(state: TrainingJobState, now: Instant): Decision {
  if (state.failureReason !== undefined) return fail(state, state.failureReason, now);
  const completed = state.exit !== undefined && outcomeOf(state.exit).kind === 'completed';
  return finish(state, completed && !state.stopRequested ? 'Completed' : 'Stopped', now, []);
}

function fail(state: TrainingJobState, reason: string, now: Instant): Decision {
  return finish({ ...state, failureReason: reason }, 'Failed', now, []);
}

function finish(
  state: TrainingJobState,
  status: 'Completed' | 'Failed' | 'Stopped',
  now: Instant,
  effects: readonly TrainingEffect[],
): Decision {
  // A job that ran out of time ends in status Stopped and keeps MaxRuntimeExceeded as its secondary status.
  const timedOut = status === 'Stopped' && state.secondaryStatus === 'MaxRuntimeExceeded';
  const ended = timedOut ? closeTransition(state, now) : enter(state, status, now);
  return {
    state: { ...ended, phase: 'clearing', status, trainingEndTime: now, awaited: [] },
    effects: [...effects, { kind: 'clear', jobId: state.jobId }],
  };
}

export function isTerminal(state: { readonly status: string }): boolean {
  return state.status === 'Completed' || state.status === 'Failed' || state.status === 'Stopped';
}

/** Begins a secondary status and ends the one before it. */
function enter(state: TrainingJobState, status: string, now: Instant): TrainingJobState {
  const closed = closeTransition(state, now);
  const message = status === 'Failed' ? (state.failureReason ?? '') : (MESSAGES[status] ?? '');
  const last: Transition = { status, startTime: now, message, ...(isTerminal({ status }) ? { endTime: now } : {}) };
  return { ...closed, secondaryStatus: status, transitions: [...closed.transitions, last] };
}

function closeTransition(state: TrainingJobState, now: Instant): TrainingJobState {
  const last = state.transitions.at(-1);
  if (last === undefined || last.endTime !== undefined) return state;
  return { ...state, transitions: [...state.transitions.slice(0, -1), { ...last, endTime: now }] };
}

/** What Describe shows of a job besides its request. */
export interface TrainingDetail {
  readonly transitions: readonly Transition[];
  readonly trainingStartTime?: Instant;
  readonly trainingEndTime?: Instant;
  readonly runSeconds?: number;
  readonly failureReason?: string;
  readonly artifacts?: string;
  readonly metrics?: readonly FinalMetric[];
}

function detailOf(state: TrainingJobState): TrainingDetail {
  const { transitions, trainingStartTime, trainingEndTime, artifacts, metrics } = state;
  return {
    transitions,
    ...(trainingStartTime === undefined ? {} : { trainingStartTime }),
    ...(trainingEndTime === undefined ? {} : { trainingEndTime }),
    ...(state.runSeconds === undefined ? {} : { runSeconds: state.runSeconds }),
    ...(state.failureReason !== undefined && state.status === 'Failed' ? { failureReason: state.failureReason } : {}),
    ...(artifacts === undefined ? {} : { artifacts }),
    ...(metrics === undefined ? {} : { metrics }),
  };
}
