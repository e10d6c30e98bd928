import type { Environment } from './sources.ts';

/** The environment of this process, for programs that we start. Settings are read by `loadProcessConfig` alone. */
export const processEnvironment: Environment = process.env;
