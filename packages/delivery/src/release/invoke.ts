import { InvokeEndpointCommand } from '@aws-sdk/client-sagemaker-runtime';
import type { InvokeRequest } from '../api.ts';
import { DeliveryError, InvalidRequest } from '../errors.ts';
import { keys } from '../names.ts';
import type { ResolvedServe } from '../project/model.ts';
import type { InvokeResult } from '../results.ts';
import type { Site } from '../site.ts';
import { isNotFound } from '../aws-errors.ts';
import type { RouteMap } from './live.ts';

/** Asks a released model by its name; on a multi-model endpoint the route map says which key that is. */
export async function invokeModel(site: Site, serve: ResolvedServe, request: InvokeRequest): Promise<InvokeResult> {
  const env = site.env.name;
  const routed = serve.mode === 'multi-model' ? await route(site, serve.endpoint, request.model) : undefined;
  if (serve.mode === 'multi-model' && routed === undefined) throw notReleased(request.model, env);
  try {
    const answer = await site.aws.runtime.send(
      new InvokeEndpointCommand({
        EndpointName: serve.endpoint,
        Body: request.body,
        ContentType: request.contentType ?? 'text/csv',
        ...(request.accept === undefined ? {} : { Accept: request.accept }),
        ...(routed === undefined ? {} : { TargetModel: routed.target }),
      }),
    );
    return {
      model: request.model,
      env,
      endpoint: serve.endpoint,
      ...(routed === undefined ? {} : { target: routed.target, version: routed.version }),
      contentType: answer.ContentType ?? 'application/octet-stream',
      body: answer.Body ?? new Uint8Array(),
    };
  } catch (error) {
    if (isNotFound(error) || (error instanceof Error && /^Endpoint .* not found/i.test(error.message))) {
      throw notReleased(request.model, env);
    }
    if (error instanceof Error && error.name === 'ModelError') {
      const original = 'OriginalMessage' in error ? String(error.OriginalMessage) : error.message;
      throw new DeliveryError(
        `${request.model} could not answer: ${original}`,
        'Send the columns of its data in their order, without the id and the target; --content-type says what is sent.',
      );
    }
    throw error;
  }
}

async function route(site: Site, endpoint: string, model: string) {
  const map = await site.objects.json<RouteMap>(keys.routes(site.env.name, endpoint));
  return map?.value.models[model]?.[0];
}

function notReleased(model: string, env: string): InvalidRequest {
  return new InvalidRequest(
    `${model} is not released in ${env}.`,
    `Approve a version, then run: slipway apply --env ${env}`,
  );
}
