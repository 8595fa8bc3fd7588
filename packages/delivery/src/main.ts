// The delivery half's public face: what the command line and other programs may use.
export { AnswerTime, makeClients } from './aws.ts';
export type { AwsClients, AwsCredentials, AwsOptions } from './aws.ts';
export type { DecisionRequest, Delivery, DeliveryOptions, InvokeRequest, RollbackRequest } from './api.ts';
export { createDelivery } from './delivery.ts';
export {
  ConcurrentChange,
  DeliveryError,
  EndpointFailed,
  Interrupted,
  InvalidRequest,
  JobFailed,
  LeaseHeld,
  RolledBack,
  WrongTarget,
} from './errors.ts';
export type { DeliveryEvent, OnEvent, StageName } from './events.ts';
export type { GateOutcome, GateReport, Interval } from './gates/gate.ts';
export { readObject, readObjectText } from './read-object.ts';
export type {
  ApplyResult,
  DecisionResult,
  EndpointRelease,
  EnvironmentStatus,
  InvokeResult,
  JobSummary,
  ModelRelease,
  ModelReleaseState,
  ModelStatus,
  RollbackResult,
  StatusResult,
  TrainResult,
  VersionRef,
  VersionStatus,
} from './results.ts';
