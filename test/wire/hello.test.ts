import { ManualClock } from '@slipway/kit/clock';
import { openDatabase } from '@slipway/kit/sqlite';
import type { Database } from '@slipway/kit/sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { greetingsMigration } from '../../packages/server/src/services/hello/greetings/store.ts';
import { createHello } from '../../packages/server/src/services/hello/index.ts';
import { startWire } from '../support/wire-server.ts';
import type { WireServer } from '../support/wire-server.ts';

/** AWS JSON by hand: no official client speaks to a service of our own. */
async function call(server: WireServer, operation: string, input: unknown, accessKeyId = 'AKIAEXAMPLE') {
  const scope = `${accessKeyId}/20260101/eu-west-1/hello/aws4_request`;
  const response = await fetch(server.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `Hello.${operation}`,
      authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=00`,
    },
    body: typeof input === 'string' ? input : JSON.stringify(input),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
}

describe('a service made after the template', () => {
  const clock = new ManualClock(Date.UTC(2026, 0, 2, 3, 4, 5, 678));
  let db: Database;
  let server: WireServer;
  beforeEach(async () => {
    db = openDatabase(':memory:', [greetingsMigration]);
    server = await startWire([createHello({ db, clock })], clock);
  });
  afterEach(async () => {
    await server.close();
    db.close();
  });

  it('creates, describes and deletes through the wire, on the clock’s time', async () => {
    const created = await call(server, 'CreateGreeting', { GreetingName: 'Morning', Words: ['good', 'morning'] });
    expect(created.status).toBe(200);
    expect(created.body).toEqual({ GreetingArn: 'arn:aws:hello:eu-west-1:000000000000:greeting/morning' });
    expect(created.headers.get('date')).toBe('Fri, 02 Jan 2026 03:04:05 GMT');
    expect(created.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
    const described = await call(server, 'DescribeGreeting', { GreetingName: 'Morning' });
    expect(described.body).toMatchObject({ Words: ['good', 'morning'], CreationTime: 1767323045.678 });
    const deleted = await call(server, 'DeleteGreeting', { GreetingName: 'Morning' });
    expect([deleted.status, deleted.body, deleted.headers.get('content-length')]).toEqual([200, undefined, '0']);
  });

  it('keeps accounts apart by the access key id', async () => {
    await call(server, 'CreateGreeting', { GreetingName: 'mine', Words: ['hi'] }, '111122223333');
    const other = await call(server, 'DescribeGreeting', { GreetingName: 'mine' }, '444455556666');
    expect([other.status, other.body]).toEqual([
      400,
      { __type: 'ResourceNotFound', Message: 'There is no greeting named mine.' },
    ]);
    const own = await call(server, 'DescribeGreeting', { GreetingName: 'mine' }, '111122223333');
    expect(own.body.GreetingArn).toBe('arn:aws:hello:eu-west-1:111122223333:greeting/mine');
  });

  it('reports each answer with who asked what', async () => {
    await call(server, 'DescribeGreeting', { GreetingName: 'none' }, '111122223333');
    expect(server.answered).toMatchObject([
      { service: 'hello', operation: 'DescribeGreeting', account: '111122223333', region: 'eu-west-1', status: 400 },
    ]);
  });

  it.each([
    [
      'nothing required',
      {},
      "2 validation errors detected: Value null at 'greetingName' failed to satisfy constraint: Member must not be null; Value null at 'words' failed to satisfy constraint: Member must not be null",
    ],
    [
      'a name off the pattern',
      { GreetingName: 'a b', Words: ['x'] },
      "1 validation error detected: Value 'a b' at 'greetingName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9])*",
    ],
    [
      'a long name',
      { GreetingName: 'a'.repeat(21), Words: ['x'] },
      `1 validation error detected: Value '${'a'.repeat(21)}' at 'greetingName' failed to satisfy constraint: Member must have length less than or equal to 20`,
    ],
    [
      'a word too long',
      { GreetingName: 'a', Words: ['x', 'y'.repeat(11)] },
      `1 validation error detected: Value '[x, ${'y'.repeat(11)}]' at 'words' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 10, Member must have length greater than or equal to 1]`,
    ],
    [
      'no words',
      { GreetingName: 'a', Words: [] },
      "1 validation error detected: Value '[]' at 'words' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
    [
      'another mood',
      { GreetingName: 'a', Words: ['x'], Mood: 'Sad' },
      "1 validation error detected: Value 'Sad' at 'mood' failed to satisfy constraint: Member must satisfy enum value set: [Glad, Calm]",
    ],
    [
      'too loud',
      { GreetingName: 'a', Words: ['x'], Loudness: 12 },
      "1 validation error detected: Value '12' at 'loudness' failed to satisfy constraint: Member must have value less than or equal to 11",
    ],
    [
      'a long tag key',
      { GreetingName: 'a', Words: ['x'], Tags: { ['k'.repeat(11)]: 'v' } },
      `1 validation error detected: Value '{${'k'.repeat(11)}=v}' at 'tags' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 10, Member must have length greater than or equal to 1]`,
    ],
    [
      'a null word',
      { GreetingName: 'a', Words: ['x', null] },
      "1 validation error detected: Value null at 'words.2.member' failed to satisfy constraint: Member must not be null",
    ],
  ])('refuses %s in AWS’s words', async (_what, input, message) => {
    const { status, headers, body } = await call(server, 'CreateGreeting', input);
    expect([status, body]).toEqual([400, { __type: 'ValidationException', message }]);
    expect(headers.get('x-amzn-errortype')).toBe('ValidationException');
  });

  it.each([
    ['a number for text', { GreetingName: 5 }, "NUMBER_VALUE can not be converted to String at 'greetingName'"],
    ['text for a list', { GreetingName: 'a', Words: 'x' }, "Expected list or null at 'words'"],
    [
      'text for a number',
      { GreetingName: 'a', Words: ['x'], Loudness: '5' },
      "STRING_VALUE can not be converted to Integer at 'loudness'",
    ],
    [
      'a fraction for an integer',
      { GreetingName: 'a', Words: ['x'], Loudness: 1.5 },
      "NUMBER_VALUE can not be converted to Integer at 'loudness'",
    ],
    ['a map for text', { GreetingName: {} }, "Start of structure or map found where not expected at 'greetingName'"],
    [
      'a list for a map',
      { GreetingName: 'a', Words: ['x'], Tags: [] },
      "Start of list found where not expected at 'tags'",
    ],
    ['a list as the body', '[1]', 'Start of list found where not expected'],
    ['half a body', '{"GreetingName": "a', 'The request body is not valid JSON'],
    ['no JSON at all', 'hello', 'The request body is not valid JSON'],
  ])('cannot read %s', async (_what, input, message) => {
    const { status, body } = await call(server, 'CreateGreeting', input);
    expect([status, body]).toEqual([400, { __type: 'SerializationException', message }]);
  });

  it('keeps hostile keys as keys', async () => {
    const body =
      '{"GreetingName":"a","Words":["x"],"Tags":{"__proto__":"v"},"__proto__":{"polluted":1},"constructor":{}}';
    expect((await call(server, 'CreateGreeting', body)).status).toBe(200);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('ignores members that the model does not have, and says so once', async () => {
    for (const name of ['a', 'b', 'c'])
      await call(server, 'CreateGreeting', { GreetingName: name, Words: ['x'], Shade: 1 });
    const said = server.log.filter(({ level }) => level === 'warn').map(({ fields }) => fields);
    expect(said).toEqual([{ service: 'hello', operation: 'CreateGreeting', member: 'Shade' }]);
  });

  it('names an operation that does not exist', async () => {
    const { status, body } = await call(server, 'SingGreeting', {});
    expect([status, body.__type]).toEqual([400, 'UnknownOperationException']);
  });
});
