import type { EffectResult } from '@slipway/kit/machine';
import { describe, expect, it } from 'vitest';
import type { JobExit } from '../../../engine/engine.ts';
import { TIMINGS } from '../../../timing.ts';
import {
  newProcessingJob,
  step,
  type ProcessingEffect,
  type ProcessingJobState,
  type ProcessingSignal,
} from './machine.ts';

type Kind = ProcessingEffect['kind'];
type Incoming = ProcessingSignal | EffectResult<ProcessingEffect>;

const done = (effect: Kind, result: unknown = null): Incoming => ({ kind: 'effect-done', effect, id: 'e', result });
const exit = (fields: Partial<JobExit> = {}): JobExit => ({ reason: 'exited', exitCode: 0, endedAt: 9, ...fields });

function play(signals: readonly Incoming[]): { state: ProcessingJobState; effects: Kind[]; done: boolean } {
  let state = newProcessingJob('processing-1', 0);
  let ended = false;
  const effects: Kind[] = [];
  for (const batch of [[], ...signals.map((signal) => [signal])]) {
    const next = step(TIMINGS.instant, state, batch, 1_000);
    state = next.state;
    ended = next.done === true;
    effects.push(...(next.effects ?? []).map((effect) => effect.kind));
  }
  return { state, effects, done: ended };
}

describe('a processing job', () => {
  it.each<[string, Incoming[], string, Kind[], Partial<ProcessingJobState>]>([
    [
      'runs and uploads',
      [done('download'), done('run', exit({ message: 'all fine' })), done('upload'), done('clear')],
      'Completed',
      ['download', 'run', 'upload', 'clear'],
      { exitMessage: 'all fine' },
    ],
    [
      'keeps its message when it fails, and uploads nothing',
      [done('download'), done('run', exit({ exitCode: 4, message: 'no target column' }))],
      'Failed',
      ['download', 'run', 'clear'],
      { exitMessage: 'no target column', failureReason: 'AlgorithmError: no target column, exit code: 4' },
    ],
    [
      'fails for outputs that cannot be written',
      [done('download'), done('run', exit()), done('upload', { userFailure: 'ClientError: no bucket' })],
      'Failed',
      ['download', 'run', 'upload', 'clear'],
      { failureReason: 'ClientError: no bucket' },
    ],
    [
      'stops while it runs',
      [done('download'), { kind: 'stop' }, done('run', exit({ reason: 'stopped' })), done('halt'), done('clear')],
      'Stopped',
      ['download', 'run', 'halt', 'clear'],
      {},
    ],
    ['stops before it runs', [{ kind: 'stop' }, done('download')], 'Stopped', ['download', 'clear'], {}],
    [
      'stops when its time is up and says so',
      [done('download'), done('run', exit({ reason: 'deadline' }))],
      'Stopped',
      ['download', 'run', 'clear'],
      { failureReason: 'The processing job was stopped because it exceeded MaxRuntimeInSeconds.' },
    ],
  ])('%s', (_what, signals, status, effects, fields) => {
    const played = play(signals);
    expect(played.effects).toEqual(effects);
    expect(played.state).toMatchObject({ status, ...fields });
    expect(played.done).toBe(played.state.phase === 'ended');
  });
});
