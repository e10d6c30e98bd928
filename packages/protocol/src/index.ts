export * from './access.ts';
export * from './api.ts';
export * from './captions.ts';
export { ApiError, apiErrorOf, ConnectionBroken } from './client/api-error.ts';
export {
  connectTranscript,
  type TranscriptConnection,
  type TranscriptOptions,
} from './client/connect-transcript.ts';
export { followStream } from './client/follow-stream.ts';
export { type Gaps, gapsOf } from './client/gaps.ts';
export { ServerCalls } from './client/server-calls.ts';
export { roomOfToken } from './client/token-room.ts';
export type { TranscriptEvents, TranscriptState } from './client/transcript-events.ts';
export * from './corrections.ts';
export * from './demand.ts';
export * from './fleet.ts';
export * from './live.ts';
export * from './measure-scale.ts';
export * from './operations.ts';
export * from './segment.ts';
export * from './settings.ts';
export * from './transcript.ts';
