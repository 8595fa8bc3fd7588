import type { Instant } from '@slipway/kit/clock';
import type { EffectResult, Machine, Step } from '@slipway/kit/machine';
import type { JobExit } from '../../../engine/engine.ts';
import type { Timing } from '../../../timing.ts';
import { failureOf, outcomeOf } from '../jobs/outcome.ts';
import type { JobStore } from '../jobs/store.ts';

/** A processing job's life: its inputs are downloaded, the process runs, its outputs are uploaded. */
export interface ProcessingJobState {
  readonly phase: 'starting' | 'downloading' | 'running' | 'uploading' | 'clearing' | 'ended';
  readonly jobId: string;
  readonly createdAt: Instant;
  readonly status: 'InProgress' | 'Completed' | 'Failed' | 'Stopping' | 'Stopped';
  readonly stopRequested: boolean;
  readonly startTime?: Instant;
  readonly endTime?: Instant;
  readonly exitMessage?: string;
  readonly failureReason?: string;
}

export type ProcessingSignal = { readonly kind: 'stop' };

type EffectKind = 'download' | 'run' | 'halt' | 'upload' | 'clear';
/** One shape for each kind, so that each has its own handler. */
export type ProcessingEffect = { [K in EffectKind]: { readonly kind: K; readonly jobId: string } }[EffectKind];

type Incoming = ProcessingSignal | EffectResult<ProcessingEffect>;
type Decision = Step<ProcessingJobState, ProcessingEffect>;

/** AWS's sentence for a job that used up its MaxRuntimeInSeconds. */
const TIMED_OUT = 'The processing job was stopped because it exceeded MaxRuntimeInSeconds.';

export function newProcessingJob(jobId: string, now: Instant): ProcessingJobState {
  return { phase: 'starting', jobId, createdAt: now, status: 'InProgress', stopRequested: false };
}

export function processingJobMachine(
  timing: Timing,
  store: JobStore,
): Machine<ProcessingJobState, ProcessingSignal, ProcessingEffect> {
  return {
    kind: 'processing-job',
    step: (state, signals, now) => step(timing, state, signals, now),
    project(_db, owner, key, state, now) {
      const { status, startTime, endTime, exitMessage, failureReason } = state;
      const detail = { startTime, endTime, exitMessage, failureReason };
      store.update(owner, key, { status, secondaryStatus: '', endedAt: endTime, detail }, now);
    },
  };
}

/** What Describe shows of a job besides its request. */
export type ProcessingDetail = Pick<ProcessingJobState, 'startTime' | 'endTime' | 'exitMessage' | 'failureReason'>;

export function step(timing: Timing, from: ProcessingJobState, signals: readonly Incoming[], now: Instant): Decision {
  let state = from;
  const effects: ProcessingEffect[] = [];
  for (const signal of signals) {
    const decided = signal.kind === 'stop' ? onStop(state) : onResult(state, signal, now);
    state = decided.state;
    effects.push(...(decided.effects ?? []));
  }
  if (state.phase === 'starting') {
    const due = state.createdAt + timing.processingStartMs;
    if (state.stopRequested) return finish(state, 'Stopped', now);
    if (now < due) return { state, effects, wakeAt: due };
    const started = { ...state, phase: 'downloading' as const, startTime: now };
    return { state: started, effects: [...effects, { kind: 'download', jobId: state.jobId }] };
  }
  return { state, effects, done: state.phase === 'ended' };
}

export function isTerminal(job: { readonly status: string }): boolean {
  return job.status === 'Completed' || job.status === 'Failed' || job.status === 'Stopped';
}

function onStop(state: ProcessingJobState): Decision {
  if (state.stopRequested || isTerminal(state)) return { state };
  const effects: ProcessingEffect[] = state.phase === 'running' ? [{ kind: 'halt', jobId: state.jobId }] : [];
  return { state: { ...state, status: 'Stopping', stopRequested: true }, effects };
}

function onResult(state: ProcessingJobState, result: EffectResult<ProcessingEffect>, now: Instant): Decision {
  const failed = failureOf(result);
  switch (result.effect) {
    case 'download':
      if (state.phase !== 'downloading') return { state };
      if (state.stopRequested) return finish(state, 'Stopped', now);
      if (failed !== undefined) return finish({ ...state, failureReason: failed }, 'Failed', now);
      return { state: { ...state, phase: 'running' }, effects: [{ kind: 'run', jobId: state.jobId }] };
    case 'run':
      if (state.phase !== 'running') return { state };
      if (failed !== undefined) return finish({ ...state, failureReason: failed }, 'Failed', now);
      return onExit(state, (result as { result: unknown }).result as JobExit, now);
    case 'upload':
      if (state.phase !== 'uploading') return { state };
      if (failed !== undefined) return finish({ ...state, failureReason: failed }, 'Failed', now);
      return finish(state, state.stopRequested ? 'Stopped' : 'Completed', now);
    case 'halt':
      return { state };
    case 'clear':
      return { state: { ...state, phase: 'ended' }, done: true };
  }
}

function onExit(before: ProcessingJobState, exit: JobExit, now: Instant): Decision {
  const state = exit.message === undefined ? before : { ...before, exitMessage: exit.message };
  const outcome = state.stopRequested ? { kind: 'stopped' as const } : outcomeOf(exit);
  switch (outcome.kind) {
    case 'completed':
      return { state: { ...state, phase: 'uploading' }, effects: [{ kind: 'upload', jobId: state.jobId }] };
    case 'stopped':
      return finish(state, 'Stopped', now);
    case 'timed-out':
      return finish({ ...state, failureReason: TIMED_OUT }, 'Stopped', now);
    case 'failed':
      return finish({ ...state, failureReason: outcome.reason }, 'Failed', now);
  }
}

function finish(state: ProcessingJobState, status: 'Completed' | 'Failed' | 'Stopped', now: Instant): Decision {
  return {
    state: { ...state, phase: 'clearing', status, endTime: now },
    effects: [{ kind: 'clear', jobId: state.jobId }],
  };
}
