import type { Owner } from '@slipway/kit/machine';
import { ValidationException } from '../../../wire/errors.ts';
import type { ServerParts } from '../../parts.ts';
import { arnOf } from '../arns.ts';
import { fixedStore, type FixedRow } from '../fixed-store.ts';
import { imageOf } from '../images.ts';
import { nameContains, timeFilters, paging } from '../listing.ts';
import { NotSupportedYet } from '../not-supported.ts';
import type { Input, Operations, Output } from '../operation-types.ts';
import { parseS3Uri } from '../s3-access.ts';
import type { TagStore } from '../tags/store.ts';
import { ModelExists, ModelNotFound, PackageNotApproved } from './errors.ts';

type Request = Omit<Input<'CreateModel'>, 'Tags'>;
export type Container = NonNullable<Request['PrimaryContainer']>;

/** What a fleet needs to know of a model; resolved when an endpoint is created or updated, and kept with it. */
export interface ResolvedModel {
  readonly name: string;
  readonly image: string;
  /** An object (single model) or a prefix (multi-model); absent for a container that brings its own model. */
  readonly dataUrl?: string;
  readonly multiModel: boolean;
  /** ModelCacheSetting Disabled: a model is unloaded after each request. */
  readonly cacheModels: boolean;
  readonly environment: Readonly<Record<string, string>>;
}

/** What models need of the registry. */
export interface PackageLookup {
  /** The package's first container. @throws ValidationException when it does not exist */
  container(
    owner: Owner,
    nameOrArn: string,
  ): { readonly approved: boolean; readonly arn: string; readonly container: Container };
}

export function models(parts: ServerParts, tags: TagStore, packages: PackageLookup) {
  const { db, engine } = parts;
  const store = fixedStore(db, 'sagemaker_models');
  const existing = (owner: Owner, name: string): FixedRow => {
    const row = store.find(owner, name);
    if (row === undefined) throw new ModelNotFound(arnFor(owner, name));
    return row;
  };

  const operations = {
    CreateModel(input, { owner, now }) {
      const { Tags, ...request } = input;
      const arn = arnFor(owner, input.ModelName);
      if (store.find(owner, input.ModelName) !== undefined) throw new ModelExists(arn);
      const container = fromPackage(packages, owner, onlyContainer(input));
      checkContainer(container);
      imageOf(engine, container.Image ?? '');
      tags.check(Tags);
      db.transaction(() => {
        store.insert(owner, input.ModelName, request, now);
        tags.add(owner, arn, Tags);
      });
      return { ModelArn: arn };
    },

    DescribeModel({ ModelName }, { owner }) {
      const row = existing(owner, ModelName);
      const request = JSON.parse(row.request) as Request;
      const { PrimaryContainer, Containers, EnableNetworkIsolation, ...rest } = request;
      return {
        ...rest,
        ...(PrimaryContainer === undefined ? {} : { PrimaryContainer: withMode(PrimaryContainer) }),
        ...(Containers === undefined ? {} : { Containers: Containers.map(withMode) }),
        EnableNetworkIsolation: EnableNetworkIsolation ?? false,
        ModelArn: arnFor(owner, ModelName),
        CreationTime: new Date(row.created_at),
      } as Output<'DescribeModel'>;
    },

    ListModels(input, { owner }) {
      const page = store.list.page({
        ...paging(owner, input, true),
        conditions: [nameContains(input.NameContains), ...timeFilters(input)],
      });
      const summaries = page.rows.map(({ name, created_at: at }) => ({
        ModelName: name,
        ModelArn: arnFor(owner, name),
        CreationTime: new Date(at),
      }));
      return { Models: summaries, NextToken: page.nextToken };
    },

    DeleteModel({ ModelName }, { owner }) {
      existing(owner, ModelName);
      db.transaction(() => {
        store.remove(owner, ModelName);
        tags.clear(owner, arnFor(owner, ModelName));
      });
      return {};
    },
  } satisfies Operations;

  return {
    operations,
    exists: (owner: Owner, name: string) => store.find(owner, name) !== undefined,
    /** @throws ModelNotFound */
    resolve: (owner: Owner, name: string): ResolvedModel => {
      const container = onlyContainer(JSON.parse(existing(owner, name).request) as Request);
      return resolved(name, fromPackage(packages, owner, container, { approvalNeeded: false }));
    },
  };
}

const arnFor = (owner: Owner, name: string): string => arnOf(owner, 'model', name);

function resolved(name: string, container: Container): ResolvedModel {
  const dataUrl = dataUrlOf(container);
  return {
    name,
    image: container.Image ?? '',
    multiModel: container.Mode === 'MultiModel',
    cacheModels: container.MultiModelConfig?.ModelCacheSetting !== 'Disabled',
    environment: container.Environment ?? {},
    ...(dataUrl === undefined ? {} : { dataUrl }),
  };
}

/** AWS always gives a container's mode. */
function withMode(container: Container): Container {
  return { ...container, Mode: container.Mode ?? 'SingleModel' };
}

function onlyContainer(request: Pick<Request, 'PrimaryContainer' | 'Containers'>): Container {
  const containers = [
    ...(request.PrimaryContainer === undefined ? [] : [request.PrimaryContainer]),
    ...(request.Containers ?? []),
  ];
  if (request.PrimaryContainer !== undefined && request.Containers !== undefined) {
    throw new ValidationException('You cannot specify both PrimaryContainer and Containers.');
  }
  if (containers.length > 1) throw new NotSupportedYet('models of several containers (inference pipelines)');
  if (containers[0] === undefined) {
    throw new ValidationException(
      'You must specify either PrimaryContainer or Containers, with at least one container.',
    );
  }
  return containers[0];
}

/** A container that names a package takes the package's image and data; what it says itself is added. */
function fromPackage(
  packages: PackageLookup,
  owner: Owner,
  container: Container,
  options: { readonly approvalNeeded: boolean } = { approvalNeeded: true },
): Container {
  if (container.ModelPackageName === undefined) return container;
  const found = packages.container(owner, container.ModelPackageName);
  if (options.approvalNeeded && !found.approved) throw new PackageNotApproved(found.arn);
  return {
    ...found.container,
    ...container,
    Environment: { ...found.container.Environment, ...container.Environment },
  };
}

function checkContainer(container: Container): void {
  if (container.InferenceSpecificationName !== undefined) throw new NotSupportedYet('InferenceSpecificationName');
  if (container.ModelDataSource?.S3DataSource?.CompressionType === 'None') {
    throw new NotSupportedYet('uncompressed model data (ModelDataSource with CompressionType None)');
  }
  if (container.AdditionalModelDataSources !== undefined) throw new NotSupportedYet('AdditionalModelDataSources');
  if (container.Image === undefined) throw new ValidationException('You must specify an Image or a ModelPackageName.');
  const url = dataUrlOf(container);
  if (url !== undefined && parseS3Uri(url) === undefined) {
    throw new ValidationException(`Invalid ModelDataUrl: ${url} is not an s3:// URL.`);
  }
  if (container.Mode === 'MultiModel' && url === undefined) {
    throw new ValidationException('A MultiModel container needs a ModelDataUrl, the prefix of its models.');
  }
}

function dataUrlOf(container: Container): string | undefined {
  return container.ModelDataUrl ?? container.ModelDataSource?.S3DataSource?.S3Uri;
}
