import type * as Runtime from '@aws-sdk/client-sagemaker-runtime';
import type { Owner } from '@slipway/kit/machine';
import type { WorkerRequest } from '../../../engine/engine.ts';
import { ServingError } from '../../../serving/errors.ts';
import type { Fleet } from '../../../serving/fleet.ts';
import { AwsError } from '../../../wire/errors.ts';
import type { HandlersOf, InputOf } from '../../../wire/handlers-of.ts';
import type { Context } from '../../../wire/service.ts';
import type { ServerParts } from '../../parts.ts';
import { ModelError, ModelNotReady, ServiceUnavailable, ValidationError } from './errors.ts';
import { checkTargetModel } from './target-model.ts';

type InvokeInput = InputOf<typeof Runtime, 'InvokeEndpoint'>;

/** How long a request waits for workers that are being started again after a restart of the server. */
const HOLD_MS = 60_000;
/** AWS's largest answer. */
const ANSWER_BYTES_MAX = 6_291_456;
const ORIGINAL_MESSAGE_MAX = 4096;
/** Sent on to the container as they came; every other header is stripped. Source: developer guide, inference code. */
const FORWARDED = ['CustomAttributes', 'InferenceId', 'TargetModel', 'SessionId'] as const;
const HEADERS = {
  CustomAttributes: 'X-Amzn-SageMaker-Custom-Attributes',
  InferenceId: 'X-Amzn-SageMaker-Inference-Id',
  TargetModel: 'X-Amzn-SageMaker-Target-Model',
  SessionId: 'X-Amzn-SageMaker-Session-Id',
} as const;

export function invocationOperations(parts: ServerParts) {
  return {
    async InvokeEndpoint(input, context) {
      refuseUnsupported(input);
      const { owner } = context;
      await restored(parts, owner, input);
      // No pause from here to the invocation: the newest route counts, and then its fleet counts the request.
      const fleet = fleetOf(parts, owner, input);
      checkTarget(fleet, input, context);
      try {
        const { variant, response } = await fleet.invoke(requestOf(input), {
          model: input.TargetModel,
          variant: input.TargetVariant,
        });
        if (response.status >= 400) throw containerError(owner, fleet, response);
        if (response.body.byteLength > ANSWER_BYTES_MAX) {
          throw answerTooLarge(owner, fleet, response.body.byteLength);
        }
        return {
          Body: response.body,
          ContentType: response.contentType,
          InvokedProductionVariant: variant,
          CustomAttributes: undefined,
          NewSessionId: undefined,
          ClosedSessionId: undefined,
        };
      } catch (error) {
        throw error instanceof ServingError ? awsErrorOf(error, owner, fleet, input) : error;
      }
    },
  } satisfies Partial<HandlersOf<typeof Runtime>>;
}

async function restored(parts: ServerParts, owner: Owner, { EndpointName }: InvokeInput): Promise<void> {
  try {
    await parts.routes.held(owner, EndpointName, HOLD_MS);
  } catch {
    throw new ServiceUnavailable(
      `The workers of endpoint ${EndpointName} are not ready after a restart of the server.`,
    );
  }
}

function fleetOf(parts: ServerParts, owner: Owner, { EndpointName }: InvokeInput): Fleet {
  const fleet = parts.routes.fleet(owner, EndpointName);
  if (fleet !== undefined) return fleet;
  throw new ValidationError(`Endpoint ${EndpointName} of account ${owner.account} not found.`);
}

function refuseUnsupported(input: InvokeInput): void {
  if (input.InferenceComponentName !== undefined) {
    throw new ValidationError('Slipway does not support inference components yet.');
  }
  if (input.TargetContainerHostname !== undefined) {
    throw new ValidationError('Slipway does not support TargetContainerHostname (several containers) yet.');
  }
  if (input.SessionId === 'NEW_SESSION') throw new ValidationError('Slipway does not support stateful sessions yet.');
}

function checkTarget(fleet: Fleet, input: InvokeInput, { requestId }: Context): void {
  const { EndpointName, TargetModel, TargetVariant } = input;
  if (TargetVariant !== undefined && !fleet.has(TargetVariant)) {
    throw new ValidationError(`Production variant ${TargetVariant} of endpoint ${EndpointName} not found.`);
  }
  if (fleet.multiModel) {
    if (TargetModel === undefined) throw new ValidationError(`Request ${requestId} is missing a target model header.`);
    checkTargetModel(TargetModel);
  } else if (TargetModel !== undefined) {
    throw new ValidationError(
      `Endpoint ${EndpointName} is not a multi-model endpoint and does not support target model header.`,
    );
  }
}

function requestOf(input: InvokeInput): WorkerRequest {
  const headers = FORWARDED.flatMap((member) => {
    const value = input[member];
    return value === undefined ? [] : [[HEADERS[member], value] as const];
  });
  return {
    body: input.Body,
    contentType: input.ContentType ?? 'application/octet-stream',
    accept: input.Accept ?? '*/*',
    headers: Object.fromEntries(headers),
  };
}

function containerError(
  owner: Owner,
  fleet: Fleet,
  response: { readonly status: number; readonly body: Uint8Array },
): ModelError {
  const original = Buffer.from(response.body).toString('utf8').slice(0, ORIGINAL_MESSAGE_MAX);
  const side = response.status >= 500 ? 'server' : 'client';
  const message =
    `Received ${side} error (${response.status}) from primary with message "${original}". ` +
    `See ${consoleUrl(owner, fleet)} in account ${owner.account} for more information.`;
  return new ModelError(message, response.status, original, logStreamArn(owner, fleet));
}

function answerTooLarge(owner: Owner, fleet: Fleet, bytes: number): ModelError {
  const message = `Received an answer of ${bytes} bytes from primary; at most ${ANSWER_BYTES_MAX} can be returned.`;
  return new ModelError(message, 0, message, logStreamArn(owner, fleet));
}

function awsErrorOf(error: ServingError, owner: Owner, fleet: Fleet, input: InvokeInput): AwsError {
  const { problem } = error;
  const arn = logStreamArn(owner, fleet);
  switch (problem.kind) {
    case 'model-missing':
      return new ValidationError(
        `Failed to download model data(bucket: ${problem.bucket}, key: ${problem.key}). ` +
          'Please ensure that there is an object located at the URL and that the role passed to CreateModel has ' +
          'permissions to download the model.',
      );
    case 'model-unusable':
      return new ValidationError(
        `Failed to extract model data archive (bucket: ${problem.bucket}, key: ${problem.key}). ` +
          `Please ensure that the object located at the URL is a valid tar.gz archive (${problem.why}).`,
      );
    case 'load-failed':
      return containerError(owner, fleet, { status: problem.status, body: Buffer.from(problem.message) });
    case 'not-ready':
      return new ModelNotReady();
    case 'timed-out':
      return new ModelError(
        'Your invocation timed out while waiting for a response from container primary. Review the latency metrics ' +
          'for each container in Amazon CloudWatch, resolve the issue, and try again.',
        0,
        '',
        arn,
      );
    case 'worker-gone':
      return new ModelError(
        `Received server error (0) from primary with message "${problem.why}". See ${consoleUrl(owner, fleet)} ` +
          `in account ${owner.account} for more information.`,
        0,
        problem.why,
        arn,
      );
    case 'overloaded':
      return new ServiceUnavailable(`Endpoint ${input.EndpointName} has too many requests in flight. Try again later.`);
    case 'closed':
      return new ServiceUnavailable(`The workers of endpoint ${input.EndpointName} are being closed. Try again.`);
  }
}

function consoleUrl(owner: Owner, fleet: Fleet): string {
  const { region } = owner;
  return (
    `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}` +
    `#logEventViewer:group=/aws/sagemaker/Endpoints/${fleet.plan.endpoint}`
  );
}

function logStreamArn(owner: Owner, fleet: Fleet): string {
  return `arn:aws:logs:${owner.region}:${owner.account}:log-group:/aws/sagemaker/Endpoints/${fleet.plan.endpoint}`;
}
