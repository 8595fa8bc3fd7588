import type { EffectResult } from '@slipway/kit/machine';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JobExit } from '../../../engine/engine.ts';
import { TIMINGS } from '../../../timing.ts';
import {
  isTerminal,
  newTrainingJob,
  step,
  type TrainingEffect,
  type TrainingJobState,
  type TrainingSignal,
} from './machine.ts';

type Kind = TrainingEffect['kind'];
type Incoming = TrainingSignal | EffectResult<TrainingEffect>;

const done = (effect: Kind, result: unknown = null): Incoming => ({ kind: 'effect-done', effect, id: 'e', result });
const failed = (effect: Kind, message: string): Incoming => ({ kind: 'effect-failed', effect, id: 'e', message });
const stop: Incoming = { kind: 'stop' };
const exit = (fields: Partial<JobExit> = {}): JobExit => ({
  reason: 'exited',
  exitCode: 0,
  startedAt: 1_000,
  endedAt: 3_500,
  ...fields,
});

/** Feeds signals one step each, beginning with the step after creation. @returns the last state and all effects asked for */
function play(signals: readonly Incoming[], hasMetrics = false): { state: TrainingJobState; effects: Kind[] } {
  let state = newTrainingJob('training-1', 0, hasMetrics);
  const effects: Kind[] = [];
  let now = 0;
  for (const batch of [[], ...signals.map((signal) => [signal])]) {
    const next = step(TIMINGS.instant, state, batch, (now += 1_000));
    state = next.state;
    effects.push(...(next.effects ?? []).map((effect) => effect.kind));
  }
  return { state, effects };
}

const secondaries = (state: TrainingJobState): string[] => state.transitions.map((transition) => transition.status);
const upload = done('upload', { artifacts: 's3://b/o/model.tar.gz' });

describe('a training job', () => {
  it('goes through every secondary status to Completed and then clears its folder', () => {
    const { state, effects } = play([done('download'), done('run', exit()), upload, done('clear')]);
    expect(secondaries(state)).toEqual(['Starting', 'Downloading', 'Training', 'Uploading', 'Completed']);
    expect(effects).toEqual(['download', 'run', 'upload', 'clear']);
    expect(state).toMatchObject({
      phase: 'ended',
      status: 'Completed',
      artifacts: 's3://b/o/model.tar.gz',
      runSeconds: 3,
    });
    for (const [index, transition] of state.transitions.entries()) {
      const next = state.transitions[index + 1];
      expect(transition.endTime).toBe(next?.startTime ?? transition.startTime);
    }
  });

  it('stays in Starting as long as the timing table says', () => {
    const fresh = newTrainingJob('training-1', 5_000, false);
    const early = step(TIMINGS.quick, fresh, [], 5_500);
    expect(early).toMatchObject({ state: { secondaryStatus: 'Starting' }, effects: [], wakeAt: 6_000 });
    expect(step(TIMINGS.quick, early.state, [], 6_000).effects).toEqual([{ kind: 'download', jobId: 'training-1' }]);
  });

  it('is terminal only once its artifact is uploaded and its metrics are read', () => {
    const half = play([done('download'), done('run', exit()), upload], true);
    expect(half.state).toMatchObject({ status: 'InProgress', secondaryStatus: 'Uploading', awaited: ['measure'] });
    const whole = play(
      [done('download'), done('run', exit()), upload, done('measure', [{ name: 'm', value: 1 }])],
      true,
    );
    expect(whole.state).toMatchObject({ status: 'Completed', metrics: [{ name: 'm', value: 1 }] });
  });

  it('completes although its metrics cannot be read', () => {
    const { state } = play([done('download'), done('run', exit()), failed('measure', 'no log'), upload], true);
    expect(state).toMatchObject({ status: 'Completed' });
    expect(state.metrics).toBeUndefined();
  });

  it.each<[string, Partial<JobExit>, string]>([
    [
      'a failure file',
      { exitCode: 1, message: 'ExecuteUserScriptError: boom' },
      'AlgorithmError: ExecuteUserScriptError: boom, exit code: 1',
    ],
    ['no failure file', { exitCode: 3 }, 'AlgorithmError: , exit code: 3'],
    [
      'a failure file that says ClientError',
      { exitCode: 1, message: 'ClientError: Missing required hyperparameter: num_round' },
      'ClientError: Missing required hyperparameter: num_round, exit code: 1',
    ],
    ['a signal', { reason: 'signaled', signal: 'SIGSEGV' }, 'AlgorithmError: , exit code: 139'],
    ['no memory', { reason: 'out-of-memory' }, 'Please use an instance type with more memory'],
    ['a lost process', { reason: 'lost' }, 'InternalServerError: We encountered an internal error.'],
    [
      'a refusal',
      { reason: 'refused', explanation: 'train.py:3 names /opt/ml' },
      'ClientError: train.py:3 names /opt/ml',
    ],
  ])('fails with AWS’s sentence after %s', (_what, fields, sentence) => {
    const { state, effects } = play([done('download'), done('run', exit({ exitCode: 1, ...fields }))]);
    expect(state.status).toBe('Failed');
    expect(state.failureReason).toContain(sentence);
    expect(effects).toEqual(['download', 'run', 'clear']);
  });

  it('cuts a FailureReason so that the exit code is still there', () => {
    const { state } = play([done('download'), done('run', exit({ exitCode: 9, message: 'x'.repeat(2000) }))]);
    expect(state.failureReason).toHaveLength(1024);
    expect(state.failureReason).toMatch(/x, exit code: 9$/);
  });

  it('fails for a download that finds nothing, with the download’s own words', () => {
    const { state, effects } = play([
      done('download', { userFailure: 'ClientError: Data download failed: no such bucket' }),
    ]);
    expect(state).toMatchObject({
      status: 'Failed',
      failureReason: 'ClientError: Data download failed: no such bucket',
    });
    expect(effects).toEqual(['download', 'clear']);
  });

  it('stops while it trains: halts the process, keeps the artifact, ends Stopped', () => {
    const stopped = exit({ reason: 'stopped' });
    const { state, effects } = play([
      done('download'),
      stop,
      done('halt'),
      done('run', stopped),
      upload,
      done('clear'),
    ]);
    expect(effects).toEqual(['download', 'run', 'halt', 'upload', 'clear']);
    expect(secondaries(state).slice(-2)).toEqual(['Stopping', 'Stopped']);
    expect(state).toMatchObject({ status: 'Stopped', artifacts: 's3://b/o/model.tar.gz' });
  });

  it('never starts a process when it is stopped during the download', () => {
    const { state, effects } = play([stop, done('download'), done('clear')]);
    expect(effects).toEqual(['download', 'clear']);
    expect(state.status).toBe('Stopped');
  });

  it('ends Stopped with MaxRuntimeExceeded when its time is up, and keeps the artifact', () => {
    const { state } = play([done('download'), done('run', exit({ reason: 'deadline' })), upload]);
    expect(state).toMatchObject({ status: 'Stopped', secondaryStatus: 'MaxRuntimeExceeded' });
    expect(state.artifacts).toBeDefined();
  });

  it('reaches exactly one terminal state whatever comes in which order, and never runs twice', () => {
    const results: readonly Incoming[] = [
      stop,
      done('download'),
      done('download', { userFailure: 'ClientError: x' }),
      failed('download', 'x'),
      done('run', exit()),
      done('run', exit({ exitCode: 1 })),
      done('run', exit({ reason: 'deadline' })),
      failed('run', 'x'),
      upload,
      failed('upload', 'x'),
      done('measure', []),
      done('halt'),
      done('clear'),
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...results), { maxLength: 14 }), fc.boolean(), (signals, hasMetrics) => {
        let state = newTrainingJob('training-1', 0, hasMetrics);
        let terminal: string | undefined;
        const effects: Kind[] = [];
        for (const batch of [[], ...signals.map((signal) => [signal])]) {
          const next = step(TIMINGS.instant, state, batch, 1);
          state = JSON.parse(JSON.stringify(next.state)) as TrainingJobState;
          effects.push(...(next.effects ?? []).map((effect) => effect.kind));
          if (terminal !== undefined) expect(state.status).toBe(terminal);
          if (isTerminal(state)) terminal = state.status;
          if (next.done === true) break;
        }
        for (const kind of ['download', 'run', 'halt', 'upload', 'measure', 'clear'] as const) {
          expect(effects.filter((effect) => effect === kind).length).toBeLessThanOrEqual(1);
        }
        expect(effects.includes('clear')).toBe(terminal !== undefined);
      }),
    );
  });
});
