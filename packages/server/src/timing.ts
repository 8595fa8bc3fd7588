/**
 * How long a state lasts in which nothing really happens, on the clock. States in which work is done (downloads, the
 * process, uploads, workers that start) last as long as the work. A rehearsal of AWS's pace is a row here, never a
 * literal delay in a machine.
 */
export interface Timing {
  /** A training job in Starting ("Preparing the instances for training"). */
  readonly trainingStartMs: number;
  /** A processing job before its download begins. */
  readonly processingStartMs: number;
  /** An endpoint's fleet before its workers are started ("Launching N instance(s)."). */
  readonly fleetLaunchMs: number;
}

export const TIMINGS = {
  instant: { trainingStartMs: 0, processingStartMs: 0, fleetLaunchMs: 0 },
  quick: { trainingStartMs: 1_000, processingStartMs: 1_000, fleetLaunchMs: 2_000 },
  lifelike: { trainingStartMs: 90_000, processingStartMs: 120_000, fleetLaunchMs: 150_000 },
} as const satisfies Readonly<Record<string, Timing>>;

export type TimingName = keyof typeof TIMINGS;
