import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { S3Client, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { InvokeEndpointCommand, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { SageMakerClient, CreateTrainingJobCommand, ListTrainingJobsCommand } from '@aws-sdk/client-sagemaker';
import { IAMClient, GetRoleCommand, ListUsersCommand } from '@aws-sdk/client-iam';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AwsError } from '../../packages/server/src/wire/errors.ts';
import type { Context, Service } from '../../packages/server/src/wire/service.ts';
import { startWire } from '../support/wire-server.ts';
import type { WireServer } from '../support/wire-server.ts';

const MEGABYTE = 1024 * 1024;
const credentials = { accessKeyId: '111122223333', secretAccessKey: 'secret' };
const seen: { input: Record<string, unknown>; context: Context; body: string }[] = [];

/** Handlers that keep what they got: the tests look at what the wire makes of bytes, not at a service. */
const s3: Service = {
  model: 's3',
  operations: {
    async PutObject(input: { Key: string; Body: Readable }, context: Context) {
      if (input.Key === 'refused') throw new AwsError('NoSuchBucket', 404, 'The specified bucket does not exist');
      seen.push({ input: input as never, context, body: await text(input.Body) });
      return { ETag: '"etag"' };
    },
    GetObject: (input: { Key: string }, context: Context) => {
      seen.push({ input, context, body: '' });
      if (input.Key === 'broken') {
        const body = Readable.from(
          (async function* () {
            yield Buffer.from('half');
            throw new Error('the disk went away');
          })(),
        );
        return { Body: body, ContentLength: 100 };
      }
      return { Body: 'content', ContentLength: 7 };
    },
    HeadObject: () => {
      throw new AwsError('NoSuchKey', 404, 'The specified key does not exist.');
    },
    DeleteObjects: (input: object, context: Context) => {
      seen.push({ input: input as never, context, body: '' });
      return {};
    },
  },
};
const sagemaker: Service = {
  model: 'sagemaker',
  operations: {
    CreateTrainingJob: () => ({ TrainingJobArn: 'arn' }),
    ListTrainingJobs: () => ({ TrainingJobSummaries: 'not a list' }),
    ListModels: () => {
      throw new TypeError('a secret detail');
    },
  },
};
const runtime: Service = {
  model: 'sagemaker-runtime',
  operations: {
    InvokeEndpoint: ({ Body, EndpointName }: { Body: Uint8Array; EndpointName: string }) => {
      if (EndpointName !== 'fails') return { Body: `${Body.length} bytes`, ContentType: 'text/plain' };
      throw new AwsError('ModelError', 424, 'Received server error (503) from primary', {
        OriginalStatusCode: 503,
        OriginalMessage: 'busy',
      });
    },
  },
};
const iam: Service = {
  model: 'iam',
  operations: {
    GetRole: () => {
      throw new AwsError('NoSuchEntity', 404, 'The role with name <x> & "y" cannot be found.');
    },
  },
};

let server: WireServer;
beforeAll(async () => {
  server = await startWire([s3, sagemaker, runtime, iam]);
});
afterAll(() => server.close());
beforeEach(() => {
  seen.length = 0;
  server.log.length = 0;
});

const options = () => ({ region: 'us-east-1', endpoint: server.url, credentials, maxAttempts: 1 });
const scope = (service: string, region = 'us-east-1') =>
  `AWS4-HMAC-SHA256 Credential=111122223333/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`;

async function send(path: string, init: RequestInit & { readonly service?: string } = {}) {
  const headers = { authorization: scope(init.service ?? 's3'), ...(init.headers as Record<string, string>) };
  const response = await fetch(server.url + path, { ...init, headers });
  return { status: response.status, headers: response.headers, body: await response.text() };
}

/** Writes bytes as they are and gives all that comes back. */
async function raw(request: string): Promise<string> {
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(request, 'latin1');
  return await text(socket).catch(() => '');
}

describe('over-long bodies', () => {
  it('of an invocation get the runtime’s validation error, and the connection stays usable', async () => {
    const client = new SageMakerRuntimeClient(options());
    const invoke = (bytes: number) =>
      client.send(new InvokeEndpointCommand({ EndpointName: 'e', Body: new Uint8Array(bytes) }));
    const limit = 6_291_456;
    await expect(invoke(limit + 1)).rejects.toMatchObject({
      name: 'ValidationError',
      message: `1 validation error detected: Value at 'body' failed to satisfy constraint: Member must have length less than or equal to ${limit}`,
    });
    const { Body } = await invoke(limit);
    expect(Buffer.from(Body).toString()).toBe(`${limit} bytes`);
    client.destroy();
  });

  it('of AWS JSON are refused after 8 MB', async () => {
    const { status, body } = await send('/', {
      method: 'POST',
      service: 'sagemaker',
      headers: { 'x-amz-target': 'SageMaker.CreateTrainingJob', 'content-type': 'application/x-amz-json-1.1' },
      body: ' '.repeat(8 * MEGABYTE + 1),
    });
    expect([status, JSON.parse(body).__type]).toEqual([413, 'RequestEntityTooLargeException']);
  });

  it('of S3 documents are refused', async () => {
    const body = `<Delete>${' '.repeat(4 * MEGABYTE)}</Delete>`;
    const answer = await send('/bucket?delete', { method: 'POST', body });
    expect(answer.body).toContain('<Code>MaxMessageLengthExceeded</Code>');
  });
});

describe('what is not there', () => {
  it('names the operation, in JSON, XML and forms', async () => {
    const client = new SageMakerClient(options());
    const request = { EndpointName: 'e' };
    const { DescribeEndpointCommand } = await import('@aws-sdk/client-sagemaker');
    await expect(client.send(new DescribeEndpointCommand(request))).rejects.toMatchObject({
      name: 'NotImplemented',
      message: expect.stringContaining('DescribeEndpoint of sagemaker'),
      $metadata: { httpStatusCode: 501 },
    });
    await expect(new IAMClient(options()).send(new ListUsersCommand({}))).rejects.toMatchObject({
      name: 'NotImplemented',
      message: expect.stringContaining('ListUsers of iam'),
    });
    const s3Answer = await send('/bucket?acl');
    expect([s3Answer.status, s3Answer.body]).toEqual([501, expect.stringContaining('GetBucketAcl of s3')]);
    client.destroy();
  });

  it('names a service that nobody serves', async () => {
    const byTarget = await send('/', { method: 'POST', headers: { 'x-amz-target': 'DynamoDB_20120810.GetItem' } });
    expect([byTarget.status, byTarget.body]).toEqual([501, expect.stringContaining('DynamoDB_20120810')]);
    const byScope = await send('/thing', { service: 'lambda' });
    expect([byScope.status, byScope.body]).toEqual([501, expect.stringContaining("the service 'lambda'")]);
  });

  it('is a code and no body for HEAD', async () => {
    const client = new S3Client({ ...options(), forcePathStyle: true });
    await expect(client.send(new HeadObjectCommand({ Bucket: 'b', Key: 'k' }))).rejects.toMatchObject({
      name: 'NotFound',
    });
    client.destroy();
  });
});

describe('defects of ours', () => {
  it('show the client a request id and nothing else', async () => {
    const client = new SageMakerClient(options());
    const failure = await send('/', {
      method: 'POST',
      service: 'sagemaker',
      headers: { 'x-amz-target': 'SageMaker.ListModels' },
      body: '{}',
    });
    expect([failure.status, JSON.parse(failure.body).__type]).toEqual([500, 'InternalFailure']);
    expect(failure.body).not.toContain('secret detail');
    const requestId = failure.headers.get('x-amzn-requestid');
    expect(server.log).toMatchObject([{ level: 'error', fields: { requestId, error: 'a secret detail' } }]);
    await expect(client.send(new ListTrainingJobsCommand({}))).rejects.toMatchObject({ name: 'InternalFailure' });
    client.destroy();
  });

  it('cut the connection when an answer breaks off, so that nobody takes half for the whole', async () => {
    await expect(fetch(`${server.url}/bucket/broken`).then((response) => response.text())).rejects.toThrow();
  });
});

describe('S3 bodies', () => {
  it('arrive decoded, with their trailers, from a stream of the official client', async () => {
    const client = new S3Client({ ...options(), forcePathStyle: true });
    const Body = Readable.from([Buffer.from('one '), Buffer.from('two')]);
    await client.send(new PutObjectCommand({ Bucket: 'b', Key: 'a/../b//c', Body, ContentLength: 7 }));
    expect(seen[0]).toMatchObject({ body: 'one two', input: { Bucket: 'b', Key: 'a/../b//c' } });
    const names = Object.keys(seen[0]?.context.http?.trailers() ?? {});
    expect(names).toEqual(['x-amz-checksum-crc32']);
    client.destroy();
  });

  it('are not asked for when nobody wants them', async () => {
    const head =
      `PUT /nowhere/refused HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${scope('s3')}\r\n` +
      'Expect: 100-continue\r\nContent-Length: 1000000\r\n\r\n';
    const answer = await raw(head);
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    expect(answer).toContain('<Code>NoSuchBucket</Code>');
  });

  it('that are malformed are MalformedXML, and change nothing', async () => {
    const bomb = `<!DOCTYPE d [<!ENTITY a "${'a'.repeat(1000)}">]><Delete><Object><Key>&a;</Key></Object></Delete>`;
    for (const body of ['<Delete>', '<Other/>', bomb, '<Delete><Quiet>maybe</Quiet></Delete>', '\xff\xfe']) {
      const { status, body: answer } = await send('/bucket?delete', { method: 'POST', body });
      expect([status, answer]).toEqual([400, expect.stringContaining('<Code>MalformedXML</Code>')]);
    }
    expect(seen).toEqual([]);
  });
});

describe('where a request belongs', () => {
  it('comes from a presigned URL, a virtual host, or nothing at all', async () => {
    const credential = encodeURIComponent('444455556666/20260101/eu-west-1/s3/aws4_request');
    await fetch(`${server.url}/bucket/key%20one?X-Amz-Credential=${credential}&X-Amz-Signature=0&x-id=GetObject`);
    await fetch(`${server.url}/bucket/plain?AWSAccessKeyId=444455556666&Signature=x&Expires=1`);
    await raw('GET /key?x=1 HTTP/1.1\r\nHost: some-bucket.s3.localhost:99\r\nConnection: close\r\n\r\n');
    expect(seen.map(({ input, context }) => ({ ...input, ...context.owner, baseUrl: context.baseUrl }))).toEqual([
      { Bucket: 'bucket', Key: 'key one', account: '444455556666', region: 'eu-west-1', baseUrl: server.url },
      { Bucket: 'bucket', Key: 'plain', account: '444455556666', region: 'us-east-1', baseUrl: server.url },
      {
        Bucket: 'some-bucket',
        Key: 'key',
        account: '000000000000',
        region: 'us-east-1',
        baseUrl: 'http://s3.localhost:99',
      },
    ]);
  });

  it('must be a region that could exist', async () => {
    const { status, body } = await send('/', {
      method: 'POST',
      headers: { authorization: scope('sagemaker', '../../etc'), 'x-amz-target': 'SageMaker.ListModels' },
    });
    expect([status, JSON.parse(body).__type]).toEqual([400, 'InvalidSignatureException']);
  });
});

describe('errors that a model describes', () => {
  it('come out of the official client with their members', async () => {
    const client = new SageMakerRuntimeClient(options());
    const request = { EndpointName: 'fails', Body: new Uint8Array(1) };
    await expect(client.send(new InvokeEndpointCommand(request))).rejects.toMatchObject({
      name: 'ModelError',
      OriginalStatusCode: 503,
      OriginalMessage: 'busy',
      $metadata: { httpStatusCode: 424 },
    });
    client.destroy();
  });
});

describe('floods and nonsense', () => {
  it('of headers are refused before they reach the wire', async () => {
    const headers = Array.from({ length: 3000 }, (_, index) => `x-amz-meta-${index}: ${'v'.repeat(20)}\r\n`).join('');
    const answer = await raw(`PUT /b/k HTTP/1.1\r\nHost: a\r\n${headers}Content-Length: 0\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(seen).toEqual([]);
  });

  it('of form parameters, and forms nested too deeply, are refused', async () => {
    for (const form of [
      `Action=GetRole&Version=2010-05-08&${'a=b&'.repeat(30_000)}`,
      `Action=GetRole&Version=2010-05-08&${'a.'.repeat(100)}=b`,
      'Action=GetRole&Version=2010-05-08&RoleName=%ff',
    ]) {
      const { status, body } = await send('/', {
        method: 'POST',
        service: 'iam',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: form,
      });
      expect([status, body]).toEqual([404, expect.stringContaining('<Code>MalformedQueryString</Code>')]);
    }
  });

  it('in a path are told apart from keys', async () => {
    const { status, body } = await send('/bucket/%zz');
    expect([status, body]).toEqual([400, expect.stringContaining('<Code>InvalidURI</Code>')]);
  });

  it('in an error’s text do not break its XML', async () => {
    const client = new IAMClient(options());
    await expect(client.send(new GetRoleCommand({ RoleName: 'x' }))).rejects.toMatchObject({
      name: 'NoSuchEntityException',
      message: 'The role with name <x> & "y" cannot be found.',
    });
    client.destroy();
  });

  it('in names get SageMaker’s own sentence', async () => {
    const client = new SageMakerClient(options());
    const request = {
      TrainingJobName: 'no_underscores',
      RoleArn: 'nobody',
      OutputDataConfig: { S3OutputPath: 's3://b' },
    };
    const failure = await client.send(new CreateTrainingJobCommand(request as never)).catch((error: Error) => error);
    expect(failure).toMatchObject({ name: 'ValidationException' });
    expect((failure as Error).message).toContain(
      "Value 'no_underscores' at 'trainingJobName' failed to satisfy constraint: " +
        "Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}; Value 'nobody' at 'roleArn' failed",
    );
    client.destroy();
  });
});
