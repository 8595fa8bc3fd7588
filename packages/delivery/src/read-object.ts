import { GetObjectCommand } from '@aws-sdk/client-s3';
import { Readable } from 'node:stream';
import type { AwsClients } from './aws.ts';
import { DeliveryError } from './errors.ts';

/** Opens the object that an `s3://bucket/key` URI names, as the results of the commands name their evidence. */
export async function readObject(aws: Pick<AwsClients, 's3'>, uri: string): Promise<Readable> {
  const match = /^s3:\/\/(?<bucket>[^/]+)\/(?<key>.+)$/.exec(uri);
  const { bucket, key } = match?.groups ?? {};
  if (bucket === undefined || key === undefined) throw new DeliveryError(`\`${uri}\` is not the URI of an S3 object.`);
  const { Body: body } = await aws.s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  if (!(body instanceof Readable)) throw new DeliveryError(`${uri} has no content that can be read here.`);
  return body;
}

/** The same as text. The caller knows that it is small. */
export async function readObjectText(aws: Pick<AwsClients, 's3'>, uri: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await readObject(aws, uri)) as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
