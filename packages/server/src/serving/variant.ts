import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Logger } from '@slipway/kit/log';
import type { Owner } from '@slipway/kit/machine';
import type { Engine, Worker, WorkerRequest, WorkerResponse } from '../engine/engine.ts';
import { FleetFailed, ServingError } from './errors.ts';
import { ModelCache } from './model-cache.ts';
import type { FleetPlan, VariantPlan } from './plan.ts';
import { WorkerSlot } from './worker-slot.ts';

/** What serving needs of its surroundings. */
export interface ServingParts {
  readonly engine: Engine;
  readonly log: Logger;
  /** `<data>/endpoints`: each fleet keeps its models in a folder of its own below it. */
  readonly folder: string;
  /** Where a worker's stdout and stderr go; named as a log stream before it starts. */
  readonly logFile: (plan: FleetPlan, variant: VariantPlan) => string;
  readonly environment: (owner: Owner) => Readonly<Record<string, string>>;
  /**
   * Unpacks the archive at `bucket/key` into `target` unless `target` is there already.
   *
   * @throws ServingError model-missing, model-unusable
   */
  readonly fetchModel: (
    owner: Owner,
    bucket: string,
    key: string,
    target: string,
    signal: AbortSignal,
  ) => Promise<void>;
}

const INVOKE_MS = 60_000;
const LOADED_MODELS_MAX = 100;
/** More requests at once than this are turned away, so that a slow model cannot fill the memory with bodies. */
const IN_FLIGHT_MAX = 500;

/** One production variant: a worker, and for a multi-model one what it has loaded. */
export class Variant {
  readonly plan: VariantPlan;
  readonly #fleet: FleetPlan;
  readonly #parts: ServingParts;
  readonly #slot: WorkerSlot;
  readonly #cache: ModelCache | undefined;
  readonly #closing = new AbortController();
  #inFlight = 0;

  constructor(parts: ServingParts, fleet: FleetPlan, plan: VariantPlan) {
    this.#parts = parts;
    this.#fleet = fleet;
    this.plan = plan;
    this.#slot = new WorkerSlot({
      start: (signal) => this.#startWorker(signal),
      onStarted: () => this.#cache?.forget(),
      log: parts.log.child({ endpoint: fleet.endpoint, variant: plan.name }),
    });
    if (plan.multiModel) {
      this.#cache = new ModelCache({
        fetch: (key, opaqueName) => this.#fetch(key, opaqueName),
        worker: () => this.#slot.worker(),
        loadedMax: LOADED_MODELS_MAX,
        keep: plan.cacheModels,
      });
    }
  }

  /** Fetches a single model and starts the worker. @throws FleetFailed with the endpoint's FailureReason */
  async open(signal: AbortSignal): Promise<void> {
    try {
      if (!this.plan.multiModel) await this.#fetchOnlyModel(signal);
      await this.#slot.open(signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof FleetFailed) throw error;
      this.#parts.log.warn('an inference worker did not start', { endpoint: this.#fleet.endpoint, error });
      throw new FleetFailed(
        `The primary container for production variant ${this.plan.name} did not pass the ping health check. ` +
          'Please check CloudWatch logs for this endpoint.',
      );
    }
  }

  /** @throws ServingError */
  async invoke(request: WorkerRequest, targetModel: string | undefined): Promise<WorkerResponse> {
    if (this.#inFlight >= IN_FLIGHT_MAX) throw new ServingError({ kind: 'overloaded' });
    this.#inFlight += 1;
    try {
      if (this.#cache !== undefined && targetModel !== undefined) return await this.#cache.invoke(targetModel, request);
      return await (await this.#slot.worker()).invoke(request, INVOKE_MS);
    } catch (error) {
      throw asServingError(error);
    } finally {
      this.#inFlight -= 1;
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new ServingError({ kind: 'closed' }));
    await this.#slot.close();
  }

  get #folder(): string {
    return join(this.#parts.folder, this.#fleet.id, this.plan.name);
  }

  get #modelFolder(): string {
    return join(this.#folder, 'model');
  }

  async #startWorker(signal: AbortSignal): Promise<Worker> {
    const log = this.#parts.logFile(this.#fleet, this.plan);
    await mkdir(dirname(log), { recursive: true });
    return this.#parts.engine.startWorker(
      {
        id: `${this.#fleet.id}-${this.plan.name}`,
        image: this.#parts.engine.image(this.plan.image),
        environment: {
          ...this.#parts.environment(this.#fleet.owner),
          ...(this.plan.multiModel ? { SAGEMAKER_MULTI_MODEL: 'true' } : {}),
          ...this.plan.environment,
        },
        log,
        startupMs: this.plan.startupMs,
        ...(this.plan.multiModel ? {} : { modelFolder: this.#modelFolder }),
      },
      signal,
    );
  }

  async #fetchOnlyModel(signal: AbortSignal): Promise<void> {
    const url = this.plan.dataUrl;
    if (url === undefined) {
      await mkdir(this.#modelFolder, { recursive: true });
      return;
    }
    const { bucket, key } = split(url);
    try {
      await this.#parts.fetchModel(this.#fleet.owner, bucket, key, this.#modelFolder, signal);
    } catch (error) {
      if (!(error instanceof ServingError)) throw error;
      throw new FleetFailed(dataFailure(url, error));
    }
  }

  async #fetch(targetModel: string, opaqueName: string): Promise<string> {
    const { bucket, key } = split(this.plan.dataUrl ?? '');
    const folder = join(this.#folder, 'models', opaqueName, 'model');
    const whole = key === '' || key.endsWith('/') ? key + targetModel : `${key}/${targetModel}`;
    await this.#parts.fetchModel(this.#fleet.owner, bucket, whole, folder, this.#closing.signal);
    return folder;
  }
}

function split(url: string): { readonly bucket: string; readonly key: string } {
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(url) ?? [];
  return { bucket, key };
}

/** AWS's FailureReasons for model data; ours adds which rule an archive breaks. */
function dataFailure(url: string, error: ServingError): string {
  if (error.problem.kind === 'model-unusable') {
    return (
      `Failed to extract model data archive for container "container_1" from URL "${url}". Please ensure that the ` +
      `object located at the URL is a valid tar.gz archive (${error.problem.why}).`
    );
  }
  return (
    `Failed to download model data for container "container_1" from URL: "${url}". Please ensure that there is an ` +
    'object located at the URL and that the role passed to CreateModel has permissions to download the object.'
  );
}

function asServingError(error: unknown): ServingError {
  if (error instanceof ServingError) return error;
  const name = error instanceof Error ? error.name : '';
  if (name === 'WorkerTimeout') return new ServingError({ kind: 'timed-out' });
  return new ServingError({ kind: 'worker-gone', why: error instanceof Error ? error.message : String(error) });
}
