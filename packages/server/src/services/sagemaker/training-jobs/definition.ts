import { ValidationException } from '../../../wire/errors.ts';
import type { Engine } from '../../../engine/engine.ts';
import { imageOf } from '../images.ts';
import { NotSupportedYet } from '../not-supported.ts';
import { parseS3Uri } from '../s3-access.ts';
import { builtInMetrics, javascriptPattern, type MetricDefinition } from './metrics.ts';
import type { TrainingRequest } from './prepare.ts';

/**
 * Checks what the model cannot: members that AWS needs although its model calls them optional, and what is refused
 * clearly because no part of Slipway acts on it.
 *
 * @throws ValidationException
 */
export function checkTrainingRequest(engine: Engine, request: TrainingRequest): void {
  const algorithm = request.AlgorithmSpecification;
  if (algorithm === undefined) throw missing('algorithmSpecification');
  if (request.ResourceConfig === undefined) throw missing('resourceConfig');
  if (request.StoppingCondition === undefined) throw missing('stoppingCondition');
  if (algorithm.AlgorithmName !== undefined) throw new NotSupportedYet('algorithms by AlgorithmName');
  if (algorithm.TrainingImage === undefined) {
    throw new ValidationException('You must specify either an AlgorithmName or a TrainingImage.');
  }
  imageOf(engine, algorithm.TrainingImage);
  if (algorithm.ContainerEntrypoint !== undefined || algorithm.ContainerArguments !== undefined) {
    throw new NotSupportedYet('ContainerEntrypoint and ContainerArguments of training jobs');
  }
  refuseModes(request);
  refuseChannels(request);
  for (const { Name, Regex } of algorithm.MetricDefinitions ?? []) checkRegex(Name, Regex);
  if (parseS3Uri(request.OutputDataConfig.S3OutputPath) === undefined) {
    throw new ValidationException(
      `Invalid S3OutputPath: ${request.OutputDataConfig.S3OutputPath} is not an s3:// URL.`,
    );
  }
}

function refuseModes(request: TrainingRequest): void {
  const mode = request.AlgorithmSpecification?.TrainingInputMode;
  if (mode === 'Pipe') throw new NotSupportedYet('TrainingInputMode Pipe');
  const { InstanceCount = 1, InstanceGroups } = request.ResourceConfig ?? {};
  if (InstanceCount > 1) throw new NotSupportedYet('training on more than one instance (InstanceCount above 1)');
  if (InstanceGroups !== undefined) throw new NotSupportedYet('InstanceGroups');
  if (request.CheckpointConfig !== undefined) throw new NotSupportedYet('CheckpointConfig');
  if (request.ServerlessJobConfig !== undefined) throw new NotSupportedYet('ServerlessJobConfig');
  if (request.ModelPackageConfig !== undefined) throw new NotSupportedYet('ModelPackageConfig');
}

function refuseChannels(request: TrainingRequest): void {
  const names = new Set<string>();
  for (const channel of request.InputDataConfig ?? []) {
    const what = `channel ${channel.ChannelName}`;
    if (names.has(channel.ChannelName)) {
      throw new ValidationException(`Channel names must be unique, and ${channel.ChannelName} is given twice.`);
    }
    names.add(channel.ChannelName);
    if (channel.InputMode === 'Pipe') throw new NotSupportedYet(`InputMode Pipe (${what})`);
    const source = channel.DataSource?.S3DataSource;
    if (source === undefined) throw new NotSupportedYet(`a data source other than S3DataSource (${what})`);
    if (source.S3DataType !== 'S3Prefix' && source.S3DataType !== 'ManifestFile') {
      throw new NotSupportedYet(`S3DataType ${source.S3DataType} (${what})`);
    }
    if (source.AttributeNames !== undefined) throw new NotSupportedYet(`AttributeNames (${what})`);
    if (channel.RecordWrapperType === 'RecordIO') throw new NotSupportedYet(`RecordWrapperType RecordIO (${what})`);
  }
}

function checkRegex(name: string, regex: string): void {
  try {
    javascriptPattern(regex);
  } catch {
    throw new ValidationException(`The metric definition ${name} has an invalid regular expression: ${regex}`);
  }
}

function missing(path: string): ValidationException {
  return new ValidationException(
    `1 validation error detected: Value null at '${path}' failed to satisfy constraint: Member must not be null`,
  );
}

/** True where the image's own algorithm trains, because no script is named. */
export function isAlgorithmMode(request: TrainingRequest): boolean {
  return (
    request.HyperParameters?.['sagemaker_program'] === undefined &&
    request.Environment?.['SAGEMAKER_PROGRAM'] === undefined
  );
}

/** The metrics a job's log is read for: the request's, or the built-in algorithm's own. */
export function metricDefinitionsOf(engine: Engine, request: TrainingRequest): readonly MetricDefinition[] {
  const given = (request.AlgorithmSpecification?.MetricDefinitions ?? []) as readonly MetricDefinition[];
  const image = request.AlgorithmSpecification?.TrainingImage;
  if (given.length > 0 || image === undefined || !isAlgorithmMode(request)) return given;
  return builtInMetrics(imageOf(engine, image));
}
