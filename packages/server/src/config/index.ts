export type { Role } from './contradictions.ts';
export { describeConfig } from './describe.ts';
export { environmentWith } from './environment-with.ts';
export { type LoadedConfig, type LoadOptions, loadConfig, loadProcessConfig } from './load.ts';
export { processEnvironment } from './process-environment.ts';
export { defaultText, valueRange } from './reference.ts';
export type { Config } from './schema.ts';
export { type Setting, settings } from './settings.ts';
export { type Environment, type FlagNames, type Flags, flagOf } from './sources.ts';
