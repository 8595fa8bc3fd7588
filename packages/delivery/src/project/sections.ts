import { z } from 'zod';
import * as field from './fields.ts';

// Sections that stand both in a model's file and in the project's `defaults` (and, per environment, in overrides).

const autoscale = z.strictObject({
  min: field.count,
  max: field.positive,
  target: z
    .strictObject({
      metric: z.enum(['invocations-per-instance', 'cpu', 'backlog-per-instance', 'concurrency']),
      value: z.number().positive(),
    })
    .optional(),
  cooldown: z.strictObject({ in: field.duration.optional(), out: field.duration.optional() }).optional(),
  wakeOnBacklog: z.boolean().optional(),
});

const capture = z.strictObject({
  sample: field.percent.optional(),
  content: z.enum(['input', 'output', 'both']).optional(),
  redact: z.array(z.string()).max(100).optional(),
  retain: field.duration.optional(),
});

const slo = z.strictObject({
  availability: field.percent.optional(),
  latency: z
    .strictObject({
      p: z.union([z.literal(50), z.literal(90), z.literal(95), z.literal(99)], { error: 'must be 50, 90, 95 or 99' }),
      under: field.latency,
    })
    .optional(),
  window: field.duration.optional(),
});

export const serve = z.strictObject({
  mode: z.enum(['realtime', 'multi-model', 'async', 'serverless']).optional(),
  endpoint: field.endpointName.optional(),
  instance: field.instance.optional(),
  count: field.positive.max(1000).optional(),
  image: field.reference.optional(),
  entry: field.reference.optional().describe("The inference script; without one the image's own server answers"),
  startup: field.duration.optional(),
  download: field.duration.optional(),
  autoscale: autoscale.optional(),
  capture: capture.optional(),
  slo: slo.optional(),
  async: z
    .strictObject({
      output: field.reference.optional(),
      failures: field.reference.optional(),
      onSuccess: field.reference.optional(),
      onError: field.reference.optional(),
      concurrency: field.positive.optional(),
      includeResponse: z.boolean().optional(),
    })
    .optional(),
});

export const shadow = z.strictObject({
  via: z.enum(['auto', 'variant', 'replay']).optional(),
  traffic: field.percent.optional(),
  for: field.duration.optional(),
  minRequests: field.count.optional(),
  compare: z
    .strictObject({
      latencyP99: field.ratio.optional(),
      errorRate: field.ratio.optional(),
      agreement: field.comparison.optional(),
      predictionDrift: z
        .strictObject({ psi: z.number().min(0), ks: z.number().min(0), js: z.number().min(0) })
        .partial()
        .optional(),
      tolerance: z.number().min(0).optional(),
    })
    .optional(),
  onFail: z.enum(['stop', 'hold']).optional(),
});

export const replay = z.strictObject({
  source: field.reference.optional(),
  window: field.duration.optional(),
  speed: field.speed.optional(),
  limit: field.count.optional(),
  filter: z.string().max(4096).optional(),
  transform: z.array(z.record(z.string(), z.unknown())).max(100).optional(),
  module: field.reference.optional(),
  order: z.enum(['time', 'key', 'none']).optional(),
  key: z.string().optional(),
  seed: z.int().optional(),
});

export const rollout = z.strictObject({
  strategy: z.enum(['all-at-once', 'canary', 'linear', 'rolling', 'weighted']).optional(),
  steps: z
    .array(
      z.strictObject({
        traffic: field.percent,
        bake: field.duration.optional(),
        minRequests: field.count.optional(),
      }),
    )
    .max(50)
    .optional(),
  bake: field.duration.optional(),
  alpha: z.number().gt(0).lt(1).optional(),
  rollbackOn: z.array(z.string()).max(50).optional(),
  onInconclusive: z.enum(['hold', 'proceed', 'rollback']).optional(),
  keepPrevious: field.duration.optional(),
});

export const monitor = z.strictObject({
  every: field.duration.optional(),
  window: field.duration.optional(),
  minRows: field.count.optional(),
  baseline: z.enum(['training', 'validation', 'previous-window']).optional(),
  features: z
    .strictObject({
      include: z.array(z.string()).max(10_000).optional(),
      exclude: z.array(z.string()).max(10_000).optional(),
      psi: z.number().min(0).optional(),
      distance: z.number().min(0).optional(),
      missing: field.ratio.optional(),
    })
    .optional(),
  predictions: z.strictObject({ psi: z.number().min(0).optional() }).optional(),
  quality: z
    .strictObject({
      labels: z.string().optional(),
      delay: field.duration.optional(),
      metric: field.name.optional(),
      maxRegression: field.ratio.optional(),
      estimate: z.enum(['none', 'cbpe']).optional(),
    })
    .optional(),
  consecutive: field.positive.optional(),
});

export const retrain = z.strictObject({
  schedule: z.string().optional(),
  onDrift: z.boolean().optional(),
  onQuality: z.boolean().optional(),
  cooldown: field.duration.optional(),
  max: z.string().optional(),
  autoApprove: z.boolean().optional(),
});
