import { posix } from 'node:path';
import { ValidationException } from '../../../wire/errors.ts';
import type { Engine } from '../../../engine/engine.ts';
import { imageOf } from '../images.ts';
import { NotSupportedYet } from '../not-supported.ts';
import type { Input } from '../operation-types.ts';

export type ProcessingRequest = Input<'CreateProcessingJob'>;

/**
 * Checks what the model cannot, and refuses clearly what no part of Slipway acts on.
 *
 * @throws ValidationException
 */
export function checkProcessingRequest(engine: Engine, request: ProcessingRequest): void {
  imageOf(engine, request.AppSpecification.ImageUri);
  if (request.AppSpecification.ContainerEntrypoint === undefined) {
    throw new NotSupportedYet('processing images that bring their own entrypoint (name one in ContainerEntrypoint)');
  }
  if ((request.ProcessingResources.ClusterConfig.InstanceCount ?? 1) > 1) {
    throw new NotSupportedYet('processing on more than one instance (InstanceCount above 1)');
  }
  const names = [
    ...(request.ProcessingInputs ?? []).map((input) => input.InputName),
    ...(request.ProcessingOutputConfig?.Outputs ?? []).map((output) => output.OutputName),
  ];
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new ValidationException(`Names of inputs and outputs must be unique, and ${twice} is given twice.`);
  }
  for (const input of request.ProcessingInputs ?? []) checkInput(input);
  for (const output of request.ProcessingOutputConfig?.Outputs ?? []) checkOutput(output);
}

function checkInput(input: NonNullable<ProcessingRequest['ProcessingInputs']>[number]): void {
  const what = `input ${input.InputName}`;
  if (input.DatasetDefinition !== undefined) throw new NotSupportedYet(`DatasetDefinition (${what})`);
  const source = input.S3Input;
  if (source === undefined) throw new ValidationException(`The ${what} names no S3Input.`);
  if (source.S3InputMode === 'Pipe') throw new NotSupportedYet(`S3InputMode Pipe (${what})`);
  if (source.S3CompressionType === 'Gzip') throw new NotSupportedYet(`S3CompressionType Gzip (${what})`);
  checkLocalPath(source.LocalPath, what);
}

function checkOutput(
  output: NonNullable<NonNullable<ProcessingRequest['ProcessingOutputConfig']>['Outputs']>[number],
): void {
  const what = `output ${output.OutputName}`;
  if (output.FeatureStoreOutput !== undefined) throw new NotSupportedYet(`FeatureStoreOutput (${what})`);
  if (output.S3Output === undefined) throw new ValidationException(`The ${what} names no S3Output.`);
  if (output.S3Output.S3UploadMode !== 'EndOfJob') throw new NotSupportedYet(`S3UploadMode Continuous (${what})`);
  checkLocalPath(output.S3Output.LocalPath, what);
}

function checkLocalPath(path: string | undefined, what: string): void {
  if (path === undefined || relativeToMl(path) === undefined) {
    throw new ValidationException(`The LocalPath of ${what} must lie below /opt/ml/processing, and it is ${path}.`);
  }
}

/** `/opt/ml/processing/x` as `processing/x`; undefined for any path elsewhere. */
export function relativeToMl(path: string): string | undefined {
  const normal = posix.normalize(path).replace(/\/+$/, '');
  return /^\/opt\/ml\/processing(\/|$)/.test(normal) ? normal.slice('/opt/ml/'.length) : undefined;
}
