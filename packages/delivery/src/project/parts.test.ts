import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ACTED_IN_MODEL, ACTED_IN_PROJECT, ACTED_VALUES, notYetActed } from './acted.ts';
import { imageAliases, resolveImage } from './images.ts';
import { editDistance, nearest } from './nearest.ts';
import { publishedSchemas } from './published.ts';
import { merged, resolveSplit } from './resolve.ts';
import { keysAt } from './schema-problems.ts';
import { globBase, matchesGlob } from './tree.ts';

test('every key that is acted on stands in the schema', () => {
  const schemas = publishedSchemas();
  const missing = (patterns: readonly string[], schema: Parameters<typeof keysAt>[0]): string[] =>
    patterns.filter((pattern) => {
      const parts = pattern.replace(/\.\*\*$/, '').split('.');
      const key = parts.at(-1) as string;
      return key !== '*' && !keysAt(schema, parts.slice(0, -1)).includes(key);
    });
  expect(missing(ACTED_IN_PROJECT, schemas['project.schema.json'])).toEqual([]);
  expect(missing(ACTED_IN_MODEL, schemas['model.schema.json'])).toEqual([]);
  const values = Object.keys(ACTED_VALUES).filter((path) => ![...ACTED_IN_MODEL, ...ACTED_IN_PROJECT].includes(path));
  expect(values).toEqual([]);
});

test('only the topmost key that nothing acts on is named', () => {
  const found = notYetActed({ model: 'a', serve: { capture: { sample: '1%' }, count: 1 } }, ACTED_IN_MODEL);
  expect(found).toEqual([{ path: ['serve', 'capture'] }]);
  expect(notYetActed({ train: { hyperparameters: { any: { thing: 1 } } } }, ACTED_IN_MODEL)).toEqual([]);
});

test('a distance counts edits: it is symmetric, and zero only for equal words', () => {
  expect(editDistance('kitten', 'sitting')).toBe(3);
  const word = fc.string({ maxLength: 12 });
  fc.assert(
    fc.property(word, word, word, (a, b, c) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, b) === 0).toBe(a === b);
      expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
    }),
  );
  expect(nearest('min_rows', ['minRows', 'floor'])).toBe('minRows');
  expect(nearest('zzz', ['minRows', 'floor'])).toBeUndefined();
  expect(nearest('x'.repeat(100_000), ['minRows'])).toBeUndefined();
});

test('shares that are given stand, the others share the rest as their defaults do', () => {
  expect(resolveSplit(undefined)).toMatchObject({ train: 0.7, validation: 0.15, test: 0.15 });
  const { train, validation, test: held } = resolveSplit({ test: 0.3 });
  expect(held).toBe(0.3);
  expect(train / validation).toBeCloseTo(0.7 / 0.15, 9);
  expect(train + validation + held).toBeCloseTo(1, 9);
  const share = fc.double({ min: 0, max: 0.45, noNaN: true });
  fc.assert(
    fc.property(fc.option(share, { nil: undefined }), fc.option(share, { nil: undefined }), (a, b) => {
      const split = resolveSplit({ test: a, validation: b });
      expect(split.train + split.validation + split.test).toBeCloseTo(1, 9);
    }),
  );
});

test('a section over its defaults wins key by key', () => {
  expect(merged({ a: 1, deep: { x: 1, y: 2 } }, { a: 2, deep: { x: 3, y: 2 } })).toEqual({
    a: 2,
    deep: { x: 3, y: 2 },
  });
  expect(merged<unknown>({ deep: { x: 1, list: [1, 2] } }, { deep: { list: [3] } })).toEqual({
    deep: { x: 1, list: [3] },
  });
  expect(merged({ a: 1 }, undefined)).toEqual({ a: 1 });
});

test('a short image name is the URI of its region, and a URI is itself', () => {
  const uri = '683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1';
  expect(resolveImage('xgboost:1.7-1', 'us-east-1')).toEqual({ uri, algorithm: true });
  expect(resolveImage(uri, 'eu-west-1')).toEqual({ uri, algorithm: true });
  expect(resolveImage('xgboost:1.0-1', 'us-east-1')).toMatchObject({
    uri: expect.stringMatching(/:1.0-1-cpu-py3$/) as string,
  });
  expect(resolveImage('sklearn:1.2-1', 'cn-north-1')).toEqual({
    uri: '450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn/sagemaker-scikit-learn:1.2-1-cpu-py3',
    algorithm: false,
  });
  for (const alias of imageAliases()) expect(resolveImage(alias, 'eu-west-1')).toHaveProperty('uri');
  for (const name of ['constructor:x', 'toString', '', ':', 'xgboost']) {
    expect(resolveImage(name, 'us-east-1'), name).toHaveProperty('problem');
  }
  expect(resolveImage('xgboost:1.7-1', 'mars-north-1')).toHaveProperty('problem');
});

test('a glob stays within one name, and ** crosses folders', () => {
  expect(matchesGlob('models/*/model.yaml', 'models/a/model.yaml')).toBe(true);
  expect(matchesGlob('models/*/model.yaml', 'models/a/b/model.yaml')).toBe(false);
  expect(matchesGlob('models/**/model.yaml', 'models/a/b/model.yaml')).toBe(true);
  expect(matchesGlob('models/**/model.yaml', 'models/model.yaml')).toBe(true);
  expect(matchesGlob('libs/**', 'libs/a/b.py')).toBe(true);
  expect(matchesGlob('libs/**', 'libs')).toBe(false);
  expect(matchesGlob('m?.yaml', 'm1.yaml')).toBe(true);
  expect(matchesGlob('a.b', 'axb')).toBe(false);
  expect(globBase('../../libs/features/**')).toBe('../../libs/features');
  const long = 'a'.repeat(2000);
  expect(matchesGlob(`${'*a'.repeat(60)}*b`, long)).toBe(false);
});
