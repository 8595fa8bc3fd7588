import { z } from 'zod';
import * as field from './fields.ts';

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const bounds = <T extends z.ZodType>(of: T) => z.tuple([of, of]);

const range = z.union(
  [
    z.strictObject({
      float: bounds(z.number()),
      scale: z.enum(['auto', 'linear', 'log', 'reverse-log']).optional(),
    }),
    z.strictObject({ int: bounds(z.int()), scale: z.enum(['auto', 'linear', 'log']).optional() }),
    z.strictObject({ choice: z.array(scalar).min(1).max(30) }),
  ],
  { error: 'must be one of { float: [low, high] }, { int: [low, high] } and { choice: [a, b] }' },
);

/** SageMaker takes at most 100 hyperparameters, each a string of at most 2500 characters. */
const hyperparameters = z.record(z.string().min(1).max(256), z.unknown());
const ranges = z.record(z.string().min(1).max(256), range);

const tune = z.strictObject({
  strategy: z.enum(['bayesian', 'random', 'hyperband', 'grid']).optional(),
  jobs: field.positive.max(500).optional(),
  parallel: field.count.optional(),
  earlyStop: z.boolean().optional(),
  seed: field.count.optional(),
  ranges: ranges.optional(),
  warmStart: z
    .union(
      [
        z.literal(false),
        z.strictObject({
          from: z.string().optional(),
          parents: field.positive.max(5).optional(),
          type: z.enum(['transfer-learning', 'identical']).optional(),
        }),
      ],
      { error: 'must be false, or an object with from, parents and type' },
    )
    .optional(),
});

export const data = z.strictObject({
  source: field.name.optional(),
  query: field.reference.optional(),
  files: field.reference.optional().describe('An S3 prefix, or a path in the project (uploaded under its digest)'),
  window: z
    .strictObject({ length: field.duration, lag: field.duration.optional(), end: z.string().optional() })
    .optional(),
  split: z
    .strictObject({
      by: z.enum(['time', 'random', 'group', 'none']).optional(),
      column: field.name.optional(),
      train: field.fraction.optional(),
      validation: field.fraction.optional(),
      test: field.fraction.optional(),
      stratify: z.boolean().optional(),
      seed: field.count.max(2 ** 32 - 1).optional(),
    })
    .optional(),
  target: field.name.optional(),
  id: field.name.optional(),
  group: field.name.optional(),
  prepare: field.reference.optional(),
  params: z.record(z.string(), z.unknown()).optional(),
});

export const train = z.strictObject({
  image: field.reference.optional(),
  entry: field.reference.optional().describe("The training script; without one the image's built-in algorithm trains"),
  instance: field.instance.optional(),
  count: field.positive.optional(),
  spot: z.boolean().optional(),
  timeout: field.duration.optional(),
  objective: z
    .strictObject({ metric: field.name, goal: z.enum(['minimize', 'maximize']), regex: z.string().max(500).optional() })
    .optional(),
  hyperparameters: hyperparameters.optional(),
  crossValidation: z
    .strictObject({ folds: z.int().min(2).max(100).optional(), refit: z.boolean().optional() })
    .optional(),
  candidates: z
    .record(
      field.name,
      z.strictObject({
        entry: field.reference.optional(),
        image: field.reference.optional(),
        hyperparameters: hyperparameters.optional(),
        ranges: ranges.optional(),
        jobs: field.count.optional(),
      }),
    )
    .optional(),
  tune: tune.optional(),
});

export const evaluate = z.strictObject({
  entry: field.reference.optional(),
  metrics: z.array(field.name).max(50).optional(),
  slices: z.array(field.name).max(50).optional(),
});

export const gate = z.strictObject({
  champion: z.string().optional(),
  primary: z
    .strictObject({
      metric: field.name,
      maxRegression: field.ratio.optional(),
      minImprovement: field.ratio.optional(),
      confidence: z.number().min(0.5).max(0.9999).optional(),
    })
    .optional(),
  floor: z.record(field.name, field.comparison).optional(),
  guardrails: z.record(field.name, z.strictObject({ maxRegression: field.ratio.optional() })).optional(),
  minRows: field.count.optional(),
  slices: z.strictObject({ maxRegression: field.ratio.optional(), minRows: field.count.optional() }).optional(),
  onInconclusive: z.enum(['fail', 'hold', 'pass']).optional(),
});
