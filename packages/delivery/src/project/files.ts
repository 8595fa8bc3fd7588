import { z } from 'zod';
import * as field from './fields.ts';
import * as section from './sections.ts';
import * as training from './training-sections.ts';

// The one definition of both files: it checks them, types them, and prints the published JSON Schemas. What is in here
// but not yet in `acted.ts` is understood and refused with a sentence that says so.

const artifact = z.strictObject({
  image: field.reference,
  modelData: field.reference.optional(),
  code: field.reference.optional(),
});

const overrides = z.strictObject({
  serve: section.serve.optional(),
  shadow: section.shadow.optional(),
  rollout: section.rollout.optional(),
  monitor: section.monitor.optional(),
  retrain: section.retrain.optional(),
});

export const modelFile = z
  .strictObject({
    model: field.modelName,
    task: z.enum(['regression', 'binary', 'multiclass', 'custom']).optional(),
    owner: z.string().max(256).optional(),
    inputs: z.array(field.reference).max(100).optional(),
    data: training.data.optional(),
    train: training.train.optional(),
    artifact: artifact.optional(),
    evaluate: training.evaluate.optional(),
    gate: training.gate.optional(),
    serve: section.serve.optional(),
    shadow: section.shadow.optional(),
    replay: section.replay.optional(),
    rollout: section.rollout.optional(),
    monitor: section.monitor.optional(),
    retrain: section.retrain.optional(),
    environments: z.record(field.environmentName, overrides).optional(),
  })
  .meta({ title: 'Slipway model', description: 'models/<name>/model.yaml' });

const environment = z.strictObject({
  account: field.account,
  region: field.region.optional(),
  target: z
    .enum(['local', 'aws'])
    .optional()
    .describe('Where commands go: the embedded server (the default), or AWS itself'),
  endpointUrl: field.url.optional(),
  role: field.role.optional(),
  bucket: field.bucket.optional(),
  kmsKey: field.reference.optional(),
  requires: z.enum(['none', 'approved']).optional(),
  after: z
    .strictObject({
      env: field.environmentName,
      healthyFor: field.duration.optional(),
      minRequests: field.count.optional(),
    })
    .optional(),
  promote: z.enum(['auto', 'pr', 'manual']).optional(),
  approvers: z.array(field.name).max(100).optional(),
  window: z.string().optional(),
  freeze: z.array(z.string()).max(100).optional(),
  protect: z.boolean().optional(),
});

const source = z.strictObject({
  type: z.enum(['postgres', 'redshift-data', 'athena', 's3', 'module']),
  secret: field.reference.optional(),
  database: field.name.optional(),
  workgroup: field.name.optional(),
  module: field.reference.optional(),
});

export const projectFile = z
  .strictObject({
    project: field.projectName,
    models: field.reference.optional(),
    registry: field.environmentName.optional(),
    environments: z.record(field.environmentName, environment),
    sources: z.record(field.name, source).optional(),
    endpoints: z.record(field.endpointName, section.serve).optional(),
    defaults: z
      .strictObject({
        train: training.train.optional(),
        gate: training.gate.optional(),
        serve: section.serve.optional(),
        shadow: section.shadow.optional(),
        rollout: section.rollout.optional(),
        monitor: section.monitor.optional(),
        retrain: section.retrain.optional(),
      })
      .optional(),
    notify: z.record(field.name, z.array(field.reference).max(100)).optional(),
    ci: z
      .strictObject({
        base: z.string().optional(),
        comment: z.enum(['github', 'gitlab', 'none']).optional(),
        oidc: z.boolean().optional(),
      })
      .optional(),
  })
  .meta({ title: 'Slipway project', description: 'delivery.yaml' });
