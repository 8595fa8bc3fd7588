import { z } from 'zod';

// The small vocabulary of both files. Each pattern carries the sentence that a person reads when it does not match.

const text = (pattern: RegExp, message: string) => z.string().regex(pattern, { error: message });

export const duration = text(/^\d+(s|m|h|d|w)$/, 'must be a duration such as 90s, 30m, 12h, 7d or 2w');
export const latency = text(/^\d+(ms|s)$/, 'must be a latency such as 150ms or 2s');
export const percent = text(/^\d+(\.\d+)?%$/, 'must be a percentage such as 2%');
export const comparison = text(
  /^(<|<=|>|>=) ?-?\d+(\.\d+)?%?$/,
  'must be a comparison such as ">= 0.60" (quote it: a bare > starts a block of text in YAML)',
);
export const ratio = z.union([percent, z.number().min(0)], { error: 'must be a percentage such as 2%, or a number' });
export const count = z.int().min(0);
export const positive = z.int().min(1);
export const fraction = z.number().min(0).max(1);
export const name = z.string().min(1).max(256);
export const reference = z.string().min(1).max(1024);

/** AWS's own pattern for a ModelPackageGroup's parts; the two together, with a dash, stay within 63 characters. */
export const projectName = text(
  /^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,31}$/,
  'must be 1 to 32 letters, digits and dashes, and neither begin nor end with a dash',
);
export const modelName = text(
  /^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,45}$/,
  'must be 1 to 46 letters, digits and dashes, and neither begin nor end with a dash',
);
export const environmentName = text(
  /^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,16}$/,
  'must be 1 to 17 letters, digits and dashes, and neither begin nor end with a dash',
);
/** SageMaker's pattern for an endpoint's name (CreateEndpoint, EndpointName). */
export const endpointName = text(
  /^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/,
  'must be 1 to 63 letters, digits and dashes, and neither begin nor end with a dash',
);
export const account = text(/^\d{12}$/, 'must be the 12 digits of an AWS account, in quotes');
export const region = text(/^[a-z]{2}(-[a-z]+)+-\d$/, 'must be an AWS region such as eu-west-1');
export const bucket = text(
  /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
  'must be an S3 bucket name: 3 to 63 lower-case letters, digits, dots and dashes',
);
export const role = text(
  /^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/,
  'must be the ARN of an IAM role, such as arn:aws:iam::111111111111:role/slipway',
);
export const url = text(/^https?:\/\/[^\s/?#][^\s]*$/, 'must be an http or https URL');
export const instance = text(/^ml\.[a-z0-9-]+\.[a-z0-9]+$/, 'must be a SageMaker instance type such as ml.m5.large');
export const speed = text(/^(\d+(\.\d+)?x|\d+rps|\d+%)$/, 'must be a speed such as 4x, 200rps or 50%');
