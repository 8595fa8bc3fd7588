import type { LoadedProject, ProjectConfig, ResolvedEnvironment } from './model.ts';

export const DEFAULT_REGION = 'us-east-1';

/** @throws Error for a name that the project does not have */
export function resolveEnvironment(project: Pick<LoadedProject, 'config'>, name: string): ResolvedEnvironment {
  return environmentOf(project.config, name);
}

export function environmentOf(config: ProjectConfig, name: string): ResolvedEnvironment {
  const written = Object.hasOwn(config.environments, name) ? config.environments[name] : undefined;
  if (written === undefined) {
    throw new Error(`The project ${config.project} has no environment ${name}.`);
  }
  const { account } = written;
  const partition = written.region?.startsWith('cn-') ? 'aws-cn' : 'aws';
  return {
    name,
    account,
    region: written.region ?? DEFAULT_REGION,
    target: written.target ?? 'local',
    ...(written.endpointUrl === undefined ? {} : { endpointUrl: written.endpointUrl }),
    // At most 32 + 1 + 17 + 1 + 12 characters: always a bucket's name.
    bucket: written.bucket ?? `${config.project}-${name}-${account}`.toLowerCase(),
    role: written.role ?? `arn:${partition}:iam::${account}:role/slipway`,
    requires: written.requires ?? 'approved',
    approvers: written.approvers ?? [],
  };
}
