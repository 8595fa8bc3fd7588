import { stopwatch } from '@slipway/kit/stopwatch';

/** Where the demo's time went, by name, in the order of the first use. */
export interface Times {
  measure<T>(name: string, work: () => Promise<T>): Promise<T>;
  entries(): readonly { readonly name: string; readonly seconds: number }[];
  totalSeconds(): number;
}

export function createTimes(): Times {
  const spent = new Map<string, number>();
  const whole = stopwatch();
  return {
    async measure(name, work) {
      const watch = stopwatch();
      try {
        return await work();
      } finally {
        spent.set(name, (spent.get(name) ?? 0) + watch.elapsedMs() / 1000);
      }
    },
    entries: () => [...spent].map(([name, seconds]) => ({ name, seconds })),
    totalSeconds: () => whole.elapsedMs() / 1000,
  };
}
