import type { Owner } from '@slipway/kit/machine';
import { ValidationException } from '../../../wire/errors.ts';
import type { ServerParts } from '../../parts.ts';
import { arnOf } from '../arns.ts';
import { fixedStore, type FixedRow } from '../fixed-store.ts';
import { nameContains, timeFilters, paging } from '../listing.ts';
import { NotSupportedYet } from '../not-supported.ts';
import type { Input, Operations, Output } from '../operation-types.ts';
import type { TagStore } from '../tags/store.ts';
import { EndpointConfigExists, EndpointConfigNotFound } from './errors.ts';

type Request = Omit<Input<'CreateEndpointConfig'>, 'Tags'>;
export type Variant = Request['ProductionVariants'][number];

export function endpointConfigs(
  parts: ServerParts,
  tags: TagStore,
  models: { resolve(owner: Owner, name: string): unknown },
) {
  const { db } = parts;
  const store = fixedStore(db, 'sagemaker_endpoint_configs');
  const arnFor = (owner: Owner, name: string): string => arnOf(owner, 'endpoint-config', name);
  const existing = (owner: Owner, name: string): FixedRow => {
    const row = store.find(owner, name);
    if (row === undefined) throw new EndpointConfigNotFound(arnFor(owner, name));
    return row;
  };

  const operations = {
    CreateEndpointConfig(input, { owner, now }) {
      const { Tags, ...request } = input;
      const arn = arnFor(owner, input.EndpointConfigName);
      if (store.find(owner, input.EndpointConfigName) !== undefined) throw new EndpointConfigExists(arn);
      refuseUnsupported(request);
      checkVariants(request.ProductionVariants);
      for (const variant of request.ProductionVariants) models.resolve(owner, variant.ModelName ?? '');
      tags.check(Tags);
      db.transaction(() => {
        store.insert(owner, input.EndpointConfigName, request, now);
        tags.add(owner, arn, Tags);
      });
      return { EndpointConfigArn: arn };
    },

    // What was sent and nothing else: Terraform takes a member that it did not send for a change.
    DescribeEndpointConfig({ EndpointConfigName }, { owner }) {
      const row = existing(owner, EndpointConfigName);
      return {
        ...(JSON.parse(row.request) as Request),
        EndpointConfigArn: arnFor(owner, EndpointConfigName),
        CreationTime: new Date(row.created_at),
      } as Output<'DescribeEndpointConfig'>;
    },

    ListEndpointConfigs(input, { owner }) {
      const page = store.list.page({
        ...paging(owner, input, true),
        conditions: [nameContains(input.NameContains), ...timeFilters(input)],
      });
      const summaries = page.rows.map(({ name, created_at: at }) => ({
        EndpointConfigName: name,
        EndpointConfigArn: arnFor(owner, name),
        CreationTime: new Date(at),
      }));
      return { EndpointConfigs: summaries, NextToken: page.nextToken };
    },

    // Allowed while an endpoint uses it, as on AWS: the endpoint keeps what it resolved.
    DeleteEndpointConfig({ EndpointConfigName }, { owner }) {
      existing(owner, EndpointConfigName);
      db.transaction(() => {
        store.remove(owner, EndpointConfigName);
        tags.clear(owner, arnFor(owner, EndpointConfigName));
      });
      return {};
    },
  } satisfies Operations;

  return {
    operations,
    exists: (owner: Owner, name: string) => store.find(owner, name) !== undefined,
    /** @throws EndpointConfigNotFound */
    variants: (owner: Owner, name: string): readonly Variant[] =>
      (JSON.parse(existing(owner, name).request) as Request).ProductionVariants,
  };
}

function refuseUnsupported(request: Request): void {
  if (request.AsyncInferenceConfig !== undefined) throw new NotSupportedYet('AsyncInferenceConfig');
  if (request.ShadowProductionVariants !== undefined) throw new NotSupportedYet('ShadowProductionVariants');
  if (request.DataCaptureConfig?.EnableCapture === true) throw new NotSupportedYet('DataCaptureConfig');
  if (request.ExplainerConfig !== undefined) throw new NotSupportedYet('ExplainerConfig');
  for (const variant of request.ProductionVariants) {
    const what = `variant ${variant.VariantName}`;
    if (variant.ServerlessConfig !== undefined) throw new NotSupportedYet(`ServerlessConfig (${what})`);
    if (variant.ModelName === undefined) throw new NotSupportedYet(`a variant without ModelName (${what})`);
  }
}

function checkVariants(variants: readonly Variant[]): void {
  const names = variants.map((variant) => variant.VariantName);
  if (new Set(names).size < names.length) {
    throw new ValidationException('Production variant names must be unique within an endpoint configuration.');
  }
  const total = variants.reduce((sum, variant) => sum + (variant.InitialVariantWeight ?? 1), 0);
  if (total <= 0) throw new ValidationException('The sum of the variants’ InitialVariantWeight must be above 0.');
}
