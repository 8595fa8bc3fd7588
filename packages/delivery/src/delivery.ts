import type { Delivery, DeliveryOptions } from './api.ts';

export function createDelivery(options: DeliveryOptions): Delivery {
  void options;
  throw new Error('not yet');
}
