import type { Service } from '../../wire/service.ts';
import type { ServerParts } from '../parts.ts';
import { endpointConfigs } from './endpoint-configs/operations.ts';
import { endpoints } from './endpoints/operations.ts';
import { modelPackageGroups } from './model-package-groups/operations.ts';
import { packageGroupStore } from './model-package-groups/store.ts';
import { modelPackages } from './model-packages/operations.ts';
import { packageStore } from './model-packages/store.ts';
import { models } from './models/operations.ts';
import type { Operations } from './operation-types.ts';
import { processingJobs } from './processing-jobs/operations.ts';
import { s3Access } from './s3-access.ts';
import { tagOperations } from './tags/operations.ts';
import { tagStore } from './tags/store.ts';
import { trainingJobs } from './training-jobs/operations.ts';

/** SageMaker's control plane: one line for each resource. */
export function createSagemaker(parts: ServerParts): Service {
  const s3 = s3Access(parts.aws);
  const tags = tagStore(parts.db);
  const packages = packageStore(parts.db);
  const groups = packageGroupStore(parts.db);

  const training = trainingJobs(parts, s3, tags);
  const processing = processingJobs(parts, s3, tags);
  const packageGroup = modelPackageGroups(parts, groups, tags, (owner, group) => packages.hasVersions(owner, group));
  const modelPackage = modelPackages(parts, packages, groups, tags);
  const model = models(parts, tags, modelPackage.lookup);
  const config = endpointConfigs(parts, tags, model);
  const endpoint = endpoints(parts, s3, tags, { variants: config.variants, model: model.resolve });
  const tagging = tagOperations(parts.db, tags, {
    'training-job': training.exists,
    'processing-job': processing.exists,
    model: model.exists,
    'endpoint-config': config.exists,
    endpoint: endpoint.exists,
    'model-package-group': packageGroup.exists,
    'model-package': modelPackage.exists,
  });

  return {
    model: 'sagemaker',
    operations: {
      ...training.operations,
      ...processing.operations,
      ...packageGroup.operations,
      ...modelPackage.operations,
      ...model.operations,
      ...config.operations,
      ...endpoint.operations,
      ...tagging,
    } satisfies Operations,
    start: endpoint.start,
    close: endpoint.close,
  };
}
