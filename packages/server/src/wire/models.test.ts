import { describe, expect, it } from 'vitest';
import { SERVICES } from '../services/index.ts';
import { readCatalog, readModel, type CatalogEntry, type Model } from './model.ts';
import { toRegExp } from './patterns.ts';
import { serviceTable } from './service-table.ts';

const catalog = readCatalog();
const models = [...catalog.keys()].map((name) => readModel(name));

const hasEvents = (model: Model, operation: string): boolean =>
  [model.operation(operation)?.input, model.operation(operation)?.output].some(
    (ref) =>
      ref !== undefined &&
      Object.values(model.structure(ref.shape).members).some((member) => {
        const shape = model.shape(member.shape);
        return shape.type === 'structure' && shape.eventstream === true;
      }),
  );

describe('the models', () => {
  it('have no pattern that JavaScript cannot check', () => {
    const untold = models.flatMap((model) =>
      Object.entries(model.shapes)
        .filter(
          ([, shape]) => 'pattern' in shape && shape.pattern !== undefined && toRegExp(shape.pattern) === undefined,
        )
        .map(([name]) => `${model.name} ${name}`),
    );
    expect(untold).toEqual([]);
  });

  it('agree with the catalog that the start reads instead of them', () => {
    for (const model of models) {
      const entry: Partial<CatalogEntry> = catalog.get(model.name) ?? {};
      const { operations, firstSegments: _segments, eventStreams = [], ...metadata } = entry;
      expect(eventStreams).toEqual(Object.keys(model.operations).filter((name) => hasEvents(model, name)));
      expect(operations?.split(' ')).toEqual(Object.keys(model.operations));
      expect(metadata).toEqual(model.metadata);
    }
  });

  it('take no more than two megabytes', () => {
    const bytes = models.reduce(
      (sum, { operations, shapes }) => sum + JSON.stringify({ operations, shapes }).length,
      0,
    );
    expect(bytes).toBeLessThan(2_000_000);
  });
});

describe('the table of services', () => {
  const service = (model: string, ...names: string[]) => ({
    model,
    operations: Object.fromEntries(names.map((name) => [name, () => ({})])),
  });

  it('refuses a handler that AWS has no operation for', () => {
    expect(() => serviceTable([service('sagemaker', 'TrainFaster')], catalog)).toThrow("no operation 'TrainFaster'");
  });

  it.each([
    ['logs', 'StartLiveTail'],
    ['s3', 'SelectObjectContent'],
    ['sagemaker-runtime', 'InvokeEndpointWithResponseStream'],
  ])('refuses a handler for %s %s, whose answer is a stream of events', (model, operation) => {
    expect(() => serviceTable([service(model, operation)], catalog)).toThrow('stream of events');
  });

  it('refuses a service twice, and one without a model', () => {
    expect(() => serviceTable([service('sts'), service('sts')], catalog)).toThrow('Two services');
    expect(() => serviceTable([service('quantum')], catalog)).toThrow("no model 'quantum'");
  });

  it('lists every service that is served once', () => {
    expect(new Set(SERVICES).size).toBe(SERVICES.length);
  });
});
