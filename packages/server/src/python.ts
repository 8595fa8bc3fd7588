// The Python environment of jobs, for programs that need it without a server (the demo's data, tests).
export { ensurePythonEnvironment } from './engine/python-env.ts';
export type { EnvironmentOptions, EnvironmentProgress, PythonEnvironment } from './engine/python-env.ts';
export { runtimesFolder } from './engine/runtimes-folder.ts';
