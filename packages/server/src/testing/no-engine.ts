import type { Engine } from '../engine/engine.ts';

/** An engine without processes, for tests of what needs none: it starts in no time and refuses to run anything. */
export function noEngine(): Engine {
  const refuse = (): never => {
    throw new Error('this test server has no engine, so it runs no job and no worker');
  };
  return {
    image: refuse,
    jobFolder: async () => refuse(),
    startJob: async () => refuse(),
    waitJob: async () => refuse(),
    stopJob: async () => undefined,
    clearJob: async () => undefined,
    startWorker: async () => refuse(),
    liveJobs: () => [],
    close: async () => undefined,
  };
}
