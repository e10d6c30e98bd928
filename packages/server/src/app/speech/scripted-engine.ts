import { energyDetector } from '../../audio/energy-detector.ts';
import { type ScriptedWord, sayAt } from '../../stt/providers/scripted/script.ts';
import {
  createScriptedProvider,
  scriptedCapabilities,
} from '../../stt/providers/scripted/scripted-provider.ts';
import type { EngineEntry } from './speech-engine.ts';

/** When the scripted engine begins to speak on each track, how fast, and how long it is silent after a line. */
const scriptBeginsMs = 500;
const scriptWordMs = 200;
const scriptPauseMs = 1_000;

export const scriptedEngine: EngineEntry = {
  isPaid: false,
  capabilities: () => scriptedCapabilities,
  check: async () => ({ state: 'ok', text: 'says its script, whatever is heard' }),
  create: async ({ config }) => ({
    provider: createScriptedProvider({ words: wordsOf(config.speech.script) }),
    makeDetector: energyDetector,
  }),
};

/** One utterance a line. */
function wordsOf(script: string): ScriptedWord[] {
  let startMs = scriptBeginsMs;
  return script.split('\n').flatMap((line) => {
    const words = line.trim() === '' ? [] : sayAt(startMs, line.trim(), scriptWordMs);
    startMs = (words.at(-1)?.endMs ?? startMs) + scriptPauseMs;
    return words;
  });
}
