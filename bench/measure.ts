import { stopwatch } from '@slipway/kit/stopwatch';

/** The middle of some durations, in milliseconds, with their extremes. */
export interface Measured {
  readonly name: string;
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
}

/** How long some work took, in milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const watch = stopwatch();
  await work();
  return watch.elapsedMs();
}

/**
 * Runs the contestants in turn, `rounds` times, so that a noisy minute hits all of them alike. Each returns its own
 * duration in milliseconds, because not everything it does belongs to the measurement.
 */
export async function interleaved(
  contestants: Readonly<Record<string, () => Promise<number>>>,
  rounds: number,
): Promise<readonly Measured[]> {
  const durations = new Map<string, number[]>(Object.keys(contestants).map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, run] of Object.entries(contestants)) durations.get(name)?.push(await run());
  }
  return [...durations].map(([name, all]) => {
    const sorted = all.toSorted((one, other) => one - other);
    const at = (index: number): number => sorted[index] ?? Number.NaN;
    return {
      name,
      medianMs: (at((sorted.length - 1) >> 1) + at(sorted.length >> 1)) / 2,
      minMs: at(0),
      maxMs: at(sorted.length - 1),
    };
  });
}

export function print(title: string, measured: readonly Measured[], notes: readonly string[] = []): void {
  process.stdout.write(`${title}\n`);
  for (const { name, medianMs, minMs, maxMs } of measured) {
    process.stdout.write(
      `  ${name.padEnd(44)} median ${medianMs.toFixed(1)} ms   (${minMs.toFixed(1)} to ${maxMs.toFixed(1)})\n`,
    );
  }
  for (const note of notes) process.stdout.write(`  ${note}\n`);
}
