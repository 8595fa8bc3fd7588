import fc from 'fast-check';
import { expect, test } from 'vitest';
import { configName, jobName, metadataValue, packageArn, versionOf } from './names.ts';

test('every name fits AWS: at most 63 letters, digits and single hyphens between them', () => {
  const name = fc.stringMatching(/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,45}$/);
  fc.assert(
    fc.property(name, name, fc.integer({ min: 1, max: 50 }), (project, model, attempt) => {
      for (const made of [jobName(project, model, 'train', 'a'.repeat(64), attempt), configName(model, { attempt })]) {
        expect(made.length).toBeLessThanOrEqual(63);
        expect(made).toMatch(/^[a-zA-Z0-9](-*[a-zA-Z0-9])*$/);
      }
    }),
  );
});

test('a config name follows from content and not from the order in which it was written', () => {
  expect(configName('clinic', { a: 1, b: 2 })).toBe(configName('clinic', { b: 2, a: 1 }));
  expect(configName('clinic', { a: 1 })).not.toBe(configName('clinic', { a: 2 }));
});

test('a version is read from its ARN, and from nothing else', () => {
  expect(versionOf(packageArn('us-east-1', '000000000000', 'demo-churn', 12))).toBe(12);
  expect(versionOf('arn:aws:sagemaker:us-east-1:000000000000:model-package/alone')).toBeUndefined();
});

test('metadata keeps only what AWS takes', () => {
  expect(metadataValue('ana, "li" #3 (50%)')).toBe('ana- -li- -3 -50--');
});
