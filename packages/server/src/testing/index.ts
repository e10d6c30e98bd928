/** Parts for tests of programs that build on DialogLens. The contract suites need vitest and are imported by file. */

export {
  type Script,
  type ScriptedFault,
  type ScriptedWord,
  sayAt,
} from '../stt/providers/scripted/script.ts';
export { createScriptedProvider } from '../stt/providers/scripted/scripted-provider.ts';
export { FakeRoom, FakeRoomConnector } from './fake-room.ts';
export {
  type GeminiDouble,
  type GeminiDoubleOptions,
  startGeminiDouble,
} from './gemini-double/gemini-double.ts';
export {
  type GoogleDouble,
  type GoogleDoubleOptions,
  startGoogleDouble,
} from './google-double/google-double.ts';
export { ManualClock } from './manual-clock.ts';
export {
  type DoubleFault,
  type FaultAction,
  type FaultMoment,
  FaultScript,
  type RefusalKind,
  type StreamFaults,
  type StreamProgress,
} from './provider-double/faults.ts';
export {
  type HeardWord,
  type Hearing,
  type MakeHearing,
  scriptedHearing,
} from './provider-double/hearing.ts';
