import type { z } from 'zod';
import type { MetricName, Task } from '../statistics/metric-names.ts';
import type { modelFile, projectFile } from './files.ts';

/** A `delivery.yaml` as written, before any default. */
export type ProjectConfig = z.infer<typeof projectFile>;
/** A `model.yaml` as written, before any default. */
export type ModelConfig = z.infer<typeof modelFile>;

/** One thing that is wrong in a file, at the place where it stands. Lines and columns count from 1. */
export interface Problem {
  /** Relative to the project's folder, with forward slashes. */
  file: string;
  line: number;
  column: number;
  /** `train.hyperparameters.eta`; empty for the whole file. */
  path: string;
  message: string;
  /** What to write or do instead, where that is known. */
  suggestion?: string;
}

export interface LoadedModel {
  name: string;
  /** Absolute. */
  folder: string;
  /** The model's file, relative to the project's folder, with forward slashes. */
  file: string;
  config: ModelConfig;
}

export interface LoadedProject {
  name: string;
  /** Absolute. */
  folder: string;
  /** `delivery.yaml` or `slipway.json`. */
  file: string;
  config: ProjectConfig;
  /** By name, in the order of their names. */
  models: LoadedModel[];
  /** The environment that trains and registers. */
  registry: string;
}

export interface ResolvedEnvironment {
  name: string;
  account: string;
  region: string;
  target: 'local' | 'aws';
  endpointUrl?: string;
  bucket: string;
  /** The execution role that jobs and models name. */
  role: string;
  requires: 'none' | 'approved';
  /** Empty: nobody is named, so self-approval is not refused. */
  approvers: string[];
}

/** Where the rows come from: objects in S3, or a file or folder of the project (uploaded under its digest). */
export type DataFiles =
  | { kind: 's3'; uri: string }
  | { kind: 'project'; /** Relative to the project, forward slashes. */ path: string; absolute: string };

export interface ResolvedSplit {
  by: 'random' | 'group' | 'time' | 'none';
  column?: string;
  /** Shares of the rows; they add up to 1. */
  train: number;
  validation: number;
  test: number;
  seed: number;
}

export interface Floor {
  metric: MetricName;
  operator: '<' | '<=' | '>' | '>=';
  threshold: number;
}

/**
 * How a difference to the champion is judged. Ratios are relative to the champion's value.
 * `non-inferior`: at most `margin` worse. `superior`: more than `margin` better.
 */
export interface ComparisonRule {
  metric: MetricName;
  rule: 'non-inferior' | 'superior';
  margin: number;
}

export interface GateConfig {
  primary: ComparisonRule;
  /** One-sided, 0.95 unless told. */
  confidence: number;
  floors: Floor[];
  guardrails: ComparisonRule[];
  minRows: number;
  onInconclusive: 'hold';
}

export interface ResolvedServe {
  /** The endpoint's name on AWS. */
  endpoint: string;
  mode: 'multi-model' | 'realtime';
  /** Full URI. */
  image: string;
  instance: string;
  count: number;
}

/** A model's file with every default filled in, for one environment. */
export interface ResolvedModel {
  project: string;
  name: string;
  /** The model package group, `<project>-<model>`. */
  group: string;
  task: 'regression' | 'binary';
  owner?: string;
  /** Absolute. */
  folder: string;
  projectFolder: string;
  environment: ResolvedEnvironment;
  inputs: string[];
  data: { files: DataFiles; target: string; id?: string; group?: string; prepare?: string; split: ResolvedSplit };
  train: {
    /** Full URI. */
    image: string;
    /** As written: `xgboost:1.7-1`. */
    imageName: string;
    mode: 'script' | 'algorithm';
    /** The script, relative to the model's folder, forward slashes; only in script mode. */
    entry?: string;
    instance: string;
    /** As SageMaker takes them: strings. */
    hyperparameters: Record<string, string>;
    timeoutSeconds: number;
  };
  evaluate: { entry?: string; metrics: MetricName[] };
  gate: GateConfig;
  /** Absent: the model is trained and registered, and served nowhere. */
  serve?: ResolvedServe;
}

export type { Task };
