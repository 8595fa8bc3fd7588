import { deadline } from '@slipway/kit/stopwatch';
import type { WorkerRequest, WorkerResponse } from '../engine/engine.ts';
import { ServingError } from './errors.ts';
import type { FleetPlan } from './plan.ts';
import { Variant, type ServingParts } from './variant.ts';

/** Longer than any request may take, so that draining ends. */
const DRAIN_MS = 70_000;

export interface Answered {
  readonly variant: string;
  readonly response: WorkerResponse;
}

/**
 * Everything that serves one deployment of an endpoint. It never changes: an update builds another and swaps the route.
 * Requests are counted, so that a fleet is only closed once the last has been answered.
 */
export class Fleet {
  readonly plan: FleetPlan;
  readonly #variants: readonly Variant[];
  /** Smooth weighted round-robin: each variant's share builds up until it is chosen. */
  readonly #shares: number[];
  #inFlight = 0;
  #drained: (() => void) | undefined;

  constructor(parts: ServingParts, plan: FleetPlan) {
    this.plan = plan;
    this.#variants = plan.variants.map((variant) => new Variant(parts, plan, variant));
    this.#shares = plan.variants.map(() => 0);
  }

  get multiModel(): boolean {
    return this.plan.variants.some((variant) => variant.multiModel);
  }

  /** Resolves when every variant answers pings. @throws FleetFailed; what had been started is closed again */
  async open(signal: AbortSignal): Promise<void> {
    const opened = await Promise.allSettled(this.#variants.map((variant) => variant.open(signal)));
    const failed = opened.find((result) => result.status === 'rejected');
    if (failed === undefined) return;
    await this.close();
    throw failed.reason;
  }

  has(variant: string): boolean {
    return this.#variants.some(({ plan }) => plan.name === variant);
  }

  /** Must be called without a pause after the route was looked up: from here on the fleet stays open. @throws ServingError */
  async invoke(
    request: WorkerRequest,
    target: { readonly model?: string | undefined; readonly variant?: string | undefined },
  ): Promise<Answered> {
    this.#inFlight += 1;
    try {
      const variant = this.#choose(target.variant);
      return { variant: variant.plan.name, response: await variant.invoke(request, target.model) };
    } finally {
      this.#inFlight -= 1;
      if (this.#inFlight === 0) this.#drained?.();
    }
  }

  /** Waits for the requests in flight, then ends the workers. */
  async drain(): Promise<void> {
    if (this.#inFlight > 0) {
      const limit = deadline(DRAIN_MS);
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
        limit.signal.addEventListener('abort', () => resolve(), { once: true });
      });
      limit.cancel();
    }
    await this.close();
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#variants.map((variant) => variant.close()));
  }

  #choose(name: string | undefined): Variant {
    if (name !== undefined) {
      const wanted = this.#variants.find(({ plan }) => plan.name === name);
      if (wanted === undefined) throw new ServingError({ kind: 'closed' });
      return wanted;
    }
    let best = 0;
    let total = 0;
    for (const [index, { plan }] of this.#variants.entries()) {
      total += plan.weight;
      this.#shares[index]! += plan.weight;
      if (this.#shares[index]! > this.#shares[best]!) best = index;
    }
    this.#shares[best]! -= total;
    return this.#variants[best]!;
  }
}
