import { digestOf, short } from './digest.ts';

// Every name on AWS follows from content, so that a command that runs again finds its own work. AWS allows 63
// characters of letters, digits and single hyphens for jobs, models and endpoint configs.

const NAME_MAX = 63;

/** `<base>-<suffix>`, the base cut to fit. The suffix carries the digest, so a cut base stays unambiguous. */
export function fitName(base: string, suffix: string): string {
  const room = NAME_MAX - suffix.length - 1;
  return `${base.slice(0, room).replace(/-+$/, '')}-${suffix}`;
}

export function jobName(project: string, model: string, stage: string, digest: string, attempt = 1): string {
  const again = attempt === 1 ? '' : `-a${attempt}`;
  return fitName(`${project}-${model}`, `${stage}-${short(digest)}${again}`);
}

/** An endpoint config's name is its content: the same release asks for the same name. */
export function configName(endpoint: string, content: unknown): string {
  return fitName(endpoint, short(digestOf(content)));
}

export function modelName(base: string, content: unknown): string {
  return fitName(base, digestOf(content).slice(0, 8));
}

export function packageArn(region: string, account: string, group: string, version: number): string {
  return `arn:aws:sagemaker:${region}:${account}:model-package/${group}/${version}`;
}

/** The version in a model package's ARN, or undefined if it names no version of a group. */
export function versionOf(arn: string): number | undefined {
  const match = /:model-package\/[^/]+\/(\d{1,9})$/.exec(arn);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/** The group in a versioned model package's ARN. */
export function groupOf(arn: string): string | undefined {
  return /:model-package\/([^/]+)\/\d{1,9}$/.exec(arn)?.[1];
}

/** `00000042`: sequence numbers as keys sort as text. */
export function sequenceKey(sequence: number): string {
  return String(sequence).padStart(8, '0');
}

/** CustomerMetadataProperties take few characters (delivery.md, section 0): what else there is becomes a hyphen. */
export function metadataValue(text: string): string {
  return text.replace(/[^\p{L}\p{Z}\p{N}_.:/=+\-@]/gu, '-').slice(0, 256);
}

export const keys = {
  data: (model: string, window: string): string => `models/${model}/data/${window}`,
  run: (model: string, runId: string): string => `models/${model}/runs/${runId}`,
  decisions: (model: string): string => `models/${model}/decisions/`,
  releases: (env: string, endpoint: string): string => `envs/${env}/releases/${endpoint}/`,
  lease: (env: string, endpoint: string): string => `envs/${env}/leases/${endpoint}.json`,
  routes: (env: string, endpoint: string): string => `envs/${env}/routes/${endpoint}.json`,
  fleet: (env: string, endpoint: string): string => `envs/${env}/mme/${endpoint}/`,
} as const;
