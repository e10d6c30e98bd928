export * from './api.ts';
export * from './captions.ts';
export * from './corrections.ts';
export * from './demand.ts';
export * from './live.ts';
export * from './segment.ts';
export * from './transcript.ts';
