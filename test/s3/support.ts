import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import { createTestServer, noEngine } from '@slipway/server/testing';
import type { TestServer } from '@slipway/server/testing';
import { afterAll, beforeAll } from 'vitest';

export const defaultAccount = '000000000000';

export function s3Client(url: string, account = defaultAccount, region = 'us-east-1'): S3Client {
  return new S3Client({
    endpoint: url,
    region,
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId: account, secretAccessKey: 'not verified on loopback' },
  });
}

export interface Fixture {
  readonly server: TestServer;
  readonly s3: S3Client;
  client(account?: string, region?: string): S3Client;
  /** Makes a bucket with a name of its own. */
  bucket(options?: { versioning?: 'Enabled' | 'Suspended' }): Promise<string>;
  /** Names of the blob files and of unfinished uploads on disk. */
  files(): { blobs: string[]; incoming: string[] };
}

/** A server for the tests of one file, and clients to it. */
export function useServer(): Fixture {
  let server: TestServer | undefined;
  let s3: S3Client | undefined;
  const made: S3Client[] = [];
  beforeAll(async () => {
    server = await createTestServer({ engine: noEngine() });
    s3 = s3Client(server.url);
    made.push(s3);
  });
  afterAll(async () => {
    for (const client of made) client.destroy();
    await server?.close();
  });
  const running = (): TestServer => server ?? fail();
  const fixture: Fixture = {
    get server() {
      return running();
    },
    get s3() {
      return s3 ?? fail();
    },
    client(account, region) {
      const client = s3Client(running().url, account, region);
      made.push(client);
      return client;
    },
    async bucket({ versioning } = {}) {
      const Bucket = `bucket-${randomBytes(8).toString('hex')}`;
      await fixture.s3.send(new CreateBucketCommand({ Bucket }));
      if (versioning !== undefined) {
        const VersioningConfiguration = { Status: versioning };
        await fixture.s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
      }
      return Bucket;
    },
    files() {
      const folder = join(running().dataFolder, 's3');
      const shelves = readdirSync(join(folder, 'blobs'));
      return {
        blobs: shelves.flatMap((shelf) => readdirSync(join(folder, 'blobs', shelf))),
        incoming: readdirSync(join(folder, 'incoming')),
      };
    },
  };
  return fixture;
}

function fail(): never {
  throw new Error('the server has not started');
}

export interface ClientError {
  readonly name: string;
  readonly status: number | undefined;
  readonly message: string;
}

/** What a command fails with, as its client sees it. */
export async function errorOf(sending: Promise<unknown>): Promise<ClientError> {
  try {
    await sending;
  } catch (error) {
    const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
    return { name, message, status: $metadata?.httpStatusCode };
  }
  throw new Error('the request succeeded');
}
