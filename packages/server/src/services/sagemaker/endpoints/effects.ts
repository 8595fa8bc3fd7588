import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { EffectHandlers, Owner } from '@slipway/kit/machine';
import { ServingError } from '../../../serving/errors.ts';
import { Fleets } from '../../../serving/fleets.ts';
import type { FleetPlan, VariantPlan } from '../../../serving/plan.ts';
import type { ServerParts } from '../../parts.ts';
import { BadArchive, extractArchive } from '../archives/extract.ts';
import { awsEnvironment } from '../jobs/environment.ts';
import { isMissing, type S3Access } from '../s3-access.ts';
import { untilAborted } from '../until-aborted.ts';
import type { Activated, EndpointEffect, EndpointState } from './machine.ts';
import type { EndpointStore } from './store.ts';

/** `<data>/endpoints` for models, `<data>/logs/endpoints` for what workers print. */
export function createFleets(parts: ServerParts, s3: S3Access): Fleets {
  return new Fleets({
    engine: parts.engine,
    log: parts.log,
    folder: join(parts.dataFolder, 'endpoints'),
    logFile(plan, variant) {
      const path = join(parts.dataFolder, 'logs', 'endpoints', `${plan.id}-${variant.name}.log`);
      parts.logFiles.register(
        plan.owner,
        `/aws/sagemaker/Endpoints/${plan.endpoint}`,
        logStreamOf(plan, variant),
        path,
      );
      return path;
    },
    environment: (owner) => awsEnvironment(owner, parts.baseUrl()),
    async fetchModel(owner, bucket, key, target, signal) {
      // Unpacking ends with a rename, so what is there is whole.
      if (existsSync(target)) return;
      try {
        await extractArchive(await s3.read(owner, { bucket, key }, signal), target, signal);
      } catch (error) {
        if (isMissing(error)) throw new ServingError({ kind: 'model-missing', bucket, key });
        if (error instanceof BadArchive) {
          throw new ServingError({ kind: 'model-unusable', bucket, key, why: error.message });
        }
        throw error;
      }
    },
  });
}

/** AWS names a variant's stream by its instance. */
export function logStreamOf(plan: FleetPlan, variant: Pick<VariantPlan, 'name'>): string {
  const instance = createHash('sha256').update(`${plan.id}/${variant.name}`).digest('hex').slice(0, 17);
  return `${variant.name}/i-${instance}`;
}

/** What an endpoint's machine does. A fleet that is there already is left alone, so each may be called again. */
export function endpointEffects(
  parts: ServerParts,
  fleets: Fleets,
  store: EndpointStore,
): EffectHandlers<EndpointEffect> {
  const stateOf = (owner: Owner, endpoint: string, key: string): EndpointState | undefined => {
    const row = store.find(owner, endpoint);
    return row?.endpoint_id === key ? (JSON.parse(row.detail) as EndpointState) : undefined;
  };
  return {
    async provision({ plan }, { signal }): Promise<Activated> {
      return startedOrNot(fleets, plan, signal);
    },
    async activate({ plan }, { owner, key, signal }): Promise<Activated> {
      const started = await startedOrNot(fleets, plan, signal);
      if (started.failure !== undefined) return started;
      const fleet = await fleets.ensure(plan);
      // After a restart during an update, the old and the new fleet may be activated in any order.
      const state = stateOf(owner, plan.endpoint, key);
      const isPending = state?.pending?.plan.id === plan.id;
      const isCurrent = state?.current?.plan.id === plan.id;
      if (!isPending && !isCurrent) {
        await untilAborted(fleets.retire(plan.id), signal);
        return {};
      }
      const routed = parts.routes.fleet(owner, plan.endpoint)?.plan.id;
      if (isPending || routed === undefined || routed !== state?.pending?.plan.id) {
        parts.routes.swap(owner, plan.endpoint, fleet);
      }
      return { fleetId: plan.id };
    },
    async retire({ fleetIds }, { signal }) {
      await untilAborted(Promise.all(fleetIds.map((id) => fleets.retire(id))), signal);
    },
    async remove({ endpoint, fleetIds }, { owner, signal }) {
      parts.routes.remove(owner, endpoint);
      await untilAborted(Promise.all(fleetIds.map((id) => fleets.retire(id))), signal);
    },
  };
}

/** A fleet that cannot be started is what the machine is to know, not an error of the effect. */
async function startedOrNot(fleets: Fleets, plan: FleetPlan, signal: AbortSignal): Promise<Activated> {
  try {
    await untilAborted(fleets.ensure(plan), signal);
    return { fleetId: plan.id };
  } catch (error) {
    signal.throwIfAborted();
    return { fleetId: plan.id, failure: error instanceof Error ? error.message : String(error) };
  }
}
