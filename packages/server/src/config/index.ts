export { describeConfig } from './describe.ts';
export { type LoadedConfig, loadConfig, loadProcessConfig } from './load.ts';
export { type Config, configSchema } from './schema.ts';
export { type Setting, settings } from './settings.ts';
export type { Environment, Flags, Source } from './sources.ts';
