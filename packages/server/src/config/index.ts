export { describeConfig } from './describe.ts';
export { type LoadedConfig, loadConfig, loadProcessConfig } from './load.ts';
export { processEnvironment } from './process-environment.ts';
export type { Config } from './schema.ts';
export { settings } from './settings.ts';
export type { Environment, Flags } from './sources.ts';
