import type { Environment } from './sources.ts';

/** The environment of this process, for programs that we start. Settings are read by `loadProcessConfig` alone. */
export const processEnvironment: Environment = process.env;

// The native part of rtc-node reads this when it is first used. Left alone it writes its errors to stderr, addresses
// with tokens among them.
process.env.RUST_LOG ??= 'off';
