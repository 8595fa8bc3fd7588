// What other parts may use of the project files.
export { resolveEnvironment } from './environment.ts';
export { imageAliases, resolveImage } from './images.ts';
export { loadProject, ProjectInvalid, readProject } from './load.ts';
export type {
  ComparisonRule,
  DataFiles,
  Floor,
  GateConfig,
  LoadedModel,
  LoadedProject,
  ModelConfig,
  Problem,
  ProjectConfig,
  ResolvedEnvironment,
  ResolvedModel,
  ResolvedServe,
  ResolvedSplit,
} from './model.ts';
export { publishedSchemas } from './published.ts';
export { resolveModel } from './resolve.ts';
