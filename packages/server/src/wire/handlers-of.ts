import type { Readable } from 'node:stream';
import type { Handler } from './service.ts';

/**
 * The handlers' types, taken from the official client's command classes, so that no shape is written by hand:
 *
 *     import type * as SageMaker from '@aws-sdk/client-sagemaker';
 *     const operations = { … } satisfies Partial<HandlersOf<typeof SageMaker>>;
 *     type Input = InputOf<typeof SageMaker, 'CreateTrainingJob'>;
 *
 * Members that the model requires are not `| undefined` (the walker has seen to it), at any depth; a streaming body
 * arrives as a `Readable`, any other as bytes. Answers may hold a body as a stream, as bytes or as text.
 */
export type HandlersOf<Client> = {
  readonly [Name in OperationOf<Client>]: Handler<InputOf<Client, Name>, OutputOf<Client, Name>>;
};

export type OperationOf<Client> =
  Extract<keyof Client, `${string}Command`> extends infer Key
    ? Key extends `${infer Name}Command`
      ? Name
      : never
    : never;

/** What a handler of the operation receives. */
export type InputOf<Client, Name extends string> = Received<CommandOf<Client, Name>['input']>;

/** What a handler of the operation answers. */
export type OutputOf<Client, Name extends string> =
  CommandOf<Client, Name> extends Resolving<infer Output> ? Answered<Output> : never;

interface Resolving<Output> {
  // Parameters of a method are compared both ways, so any command fits.
  resolveMiddleware(
    stack: never,
    configuration: never,
    options: never,
  ): (...args: never[]) => Promise<{ output: Output }>;
}
interface AnyCommand extends Resolving<unknown> {
  readonly input: object;
}
type CommandOf<Client, Name extends string> = `${Name}Command` extends keyof Client
  ? Client[`${Name}Command`] extends abstract new (...args: never[]) => infer Command
    ? Command extends AnyCommand
      ? Command
      : never
    : never
  : never;

type Leaf = string | number | boolean | bigint | Date | Uint8Array | undefined | null;

/** `Body` is the name of every payload of bytes in the services we have; it is there even when it is empty. */
type Received<T> = Whole<Omit<T, 'Body'>> & { [K in Extract<keyof T, 'Body'>]-?: BodyReceived<T[K]> };
type BodyReceived<T> = ArrayBuffer extends T ? Uint8Array : Readable;

/** Required members without `undefined`, inside lists and maps too. */
type Whole<T> = T extends Leaf
  ? T
  : T extends readonly (infer Item)[]
    ? Whole<Item>[]
    : { [K in keyof T]: object extends Pick<T, K> ? Whole<T[K]> : Whole<Exclude<T[K], undefined>> };

type Answered<T> = {
  [K in Exclude<keyof T, '$metadata'>]: K extends 'Body' ? Readable | Uint8Array | string | undefined : T[K];
};
