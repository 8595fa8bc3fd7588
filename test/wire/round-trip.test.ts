import { Readable } from 'node:stream';
import { seededRandom } from '@slipway/kit/ids';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCatalog, readModel } from '../../packages/server/src/wire/model.ts';
import type { Model, Ref } from '../../packages/server/src/wire/model.ts';
import type { Handler, Service } from '../../packages/server/src/wire/service.ts';
import { pythonClients } from '../support/python-clients.ts';
import { startWire } from '../support/wire-server.ts';
import type { WireServer } from '../support/wire-server.ts';
import { botocoreDriver, javascriptDriver } from './clients.ts';
import type { Driver } from './clients.ts';
import { ALWAYS, FIXED, IGNORED, NOT_DRIVEN, SKIPPED, TEXTS, withoutEmpty } from './exceptions.ts';
import { Generator } from './generate.ts';

/**
 * Every operation of every service in the catalog, with generated values both ways: what an official client sends must
 * arrive as what it was given, and what we answer must come out of it as what the handler gave.
 */

const SEED = Number(process.env['SLIPWAY_SEED'] ?? 20_260_101);
const ROUNDS = Number(process.env['SLIPWAY_ROUNDS'] ?? 2);

type Values = Record<string, unknown>;
const catalog = readCatalog();
const models = new Map([...catalog.keys()].filter((name) => name !== 'hello').map((name) => [name, readModel(name)]));

/** Answers every operation with `answer`, and keeps the input. */
const exchange: { input: Values | undefined; answer: Values } = { input: undefined, answer: {} };
const record: Handler<Values, object> = async (input) => {
  const body = input['Body'];
  exchange.input = body instanceof Readable ? { ...input, Body: Buffer.concat(await body.toArray()) } : input;
  return exchange.answer;
};
const services = [...models].map(([model, { operations }]): Service => {
  const events = catalog.get(model)?.eventStreams ?? [];
  const served = Object.keys(operations).filter((name) => !events.includes(name));
  return { model, operations: Object.fromEntries(served.map((name) => [name, record])) };
});

function bodyOf(model: Model): 'json' | 'xml' | 'form' {
  const { protocol } = model.metadata;
  if (protocol === 'query') return 'form';
  return protocol === 'rest-xml' ? 'xml' : 'json';
}

function valuesFor(model: Model, ref: Ref | undefined, direction: 'input' | 'output', random: () => number): Values {
  if (ref === undefined) return {};
  const body = bodyOf(model);
  const generator = new Generator({
    model,
    random,
    body: direction === 'output' && body === 'form' ? 'xml' : body,
    skip: (name, { shape }) => SKIPPED.get(model.name)?.has(`${direction} ${name}`) === true || isEvents(model, shape),
    always: ALWAYS,
    texts: TEXTS,
    fixed: FIXED.get(model.name) ?? new Map(),
  });
  return generator.structure(model.structure(ref.shape));
}

function isEvents(model: Model, name: string): boolean {
  const shape = model.shape(name);
  return shape.type === 'structure' && shape.eventstream === true;
}

/** What both sides must agree on: plain values, without what the listed exceptions leave out. */
function comparable(model: Model, direction: 'input' | 'output', values: Values): unknown {
  const ignored = IGNORED.get(model.name);
  const kept = Object.entries(values).filter(
    ([name, value]) => value !== undefined && ignored?.has(`${direction} ${name}`) !== true,
  );
  return withoutEmpty(plain(Object.fromEntries(kept)), model.metadata.protocol);
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('base64')}`;
  if (value instanceof Date) return `time ${value.toISOString()}`;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([key, inner]) => [key, plain(inner)]),
  );
}

describe.each([
  ['the JavaScript SDK', async () => javascriptDriver()],
  ['botocore', async () => botocoreDriver((await pythonClients()).python)],
])('requests and answers of %s', (_name, open) => {
  let server: WireServer;
  let driver: Driver;
  beforeAll(async () => {
    server = await startWire(services);
    driver = await open();
  });
  afterAll(async () => {
    await driver.close();
    await server.close();
  });

  it.each([...models])('come through unchanged in every operation of %s', async (name, model) => {
    const differences: string[] = [];
    let driven = 0;
    for (const [operation, { input, output }] of Object.entries(model.operations)) {
      if (NOT_DRIVEN.has(`${name} ${operation}`)) continue;
      for (let round = 0; round < ROUNDS; round += 1) {
        const random = seededRandom(SEED + round * 7919 + hash(`${name}${operation}`));
        const sent = valuesFor(model, input, 'input', random);
        exchange.input = undefined;
        exchange.answer = valuesFor(model, output, 'output', random);
        const { output: received, error } = await driver.call(name, operation, sent, server.url);
        driven += 1;
        const got = { input: exchange.input, output: received };
        const wanted = { input: sent, output: exchange.answer };
        for (const direction of ['input', 'output'] as const) {
          const a = JSON.stringify(comparable(model, direction, wanted[direction]), sorted);
          const b = JSON.stringify(comparable(model, direction, got[direction] ?? {}), sorted);
          if (got[direction] === undefined) differences.push(`${operation} ${direction}: ${error ?? 'did not arrive'}`);
          else if (a !== b) differences.push(`${operation} ${direction}:\n  ${a}\n  ${b}`);
        }
      }
    }
    const problems = server.log.map((line) => `${line.message} ${JSON.stringify(line.fields)}`);
    expect({ seed: SEED, differences, problems }).toEqual({ seed: SEED, differences: [], problems: [] });
    expect(driven).toBeGreaterThan(0);
  });
});

/** Members in the order of their names. */
function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const hash = (text: string): number => [...text].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) % 1_000_003, 7);
