import type { GoogleGenAI } from '@google/genai';
import { writeWav } from '../../../audio/wav.ts';
import { DecodeScheduler } from '../../decode-scheduler.ts';
import type { RecogniseOutcome, UtteranceEngine } from '../../segmented-session.ts';
import { sampleRate } from '../../stt.ts';
import type { GeminiWish } from './gemini-client.ts';
import { failureOf, geminiFault } from './gemini-faults.ts';
import { type GeminiSettings, geminiModel } from './gemini-settings.ts';

/** Requests under way, all tracks together. */
const mostRequests = 16;
/** Speech that may wait for its request, seconds. */
const maxWaitingSeconds = 600;
const answerWithinMs = 30_000;
/** Faults that concern every request and not this one. */
const forAll = new Set(['auth', 'quota', 'rate-limit', 'fatal']);

/** Utterances as requests of `generateContent`, for models without live transcription. */
export class GeminiSegments {
  readonly #ai: GoogleGenAI;
  readonly #settings: GeminiSettings;
  readonly #scheduler = new DecodeScheduler({ concurrency: mostRequests, maxWaitingSeconds });
  readonly #stopped = new AbortController();

  constructor(ai: GoogleGenAI, settings: GeminiSettings) {
    this.#ai = ai;
    this.#settings = settings;
  }

  /** Requests under way are broken off. */
  stop(): void {
    this.#stopped.abort();
  }

  engineFor(key: string, wish: GeminiWish): UtteranceEngine {
    const scheduler = this.#scheduler;
    return {
      partialIntervalMs: Number.POSITIVE_INFINITY,
      // A guess would be paid for like the answer.
      spare: false,
      recognise: (kind, pcm) =>
        new Promise((resolve) => {
          scheduler.submit({
            key,
            kind,
            audioSeconds: pcm.length / sampleRate,
            run: async () => resolve(await this.#ask(pcm, wish)),
            failed: (error) => resolve({ state: 'failed', message: error.message }),
            dropped: (reason) => resolve({ state: 'dropped', reason }),
          });
        }),
      cancel: () => scheduler.cancel(key),
    };
  }

  async #ask(pcm: Int16Array, wish: GeminiWish): Promise<RecogniseOutcome> {
    const data = Buffer.from(writeWav({ sampleRate, channels: 1, pcm })).toString('base64');
    const abortSignal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(answerWithinMs)]);
    try {
      const { text } = await this.#ai.models.generateContent({
        model: geminiModel(this.#settings),
        contents: [
          { role: 'user', parts: [{ inlineData: { mimeType: 'audio/wav', data } }, { text: prompt(wish) }] },
        ],
        config: { temperature: 0, abortSignal },
      });
      return { state: 'text', text: text?.trim() ?? '' };
    } catch (thrown) {
      const { kind, message } = geminiFault(failureOf(thrown), [this.#settings.apiKey ?? '', ...wish.hints]);
      return { state: 'failed', message, ...(forAll.has(kind) && { kind }) };
    }
  }
}

function prompt({ language, hints }: GeminiWish): string {
  const spoken = language === 'auto' ? '' : ` The language is ${language}.`;
  const words = hints.length === 0 ? '' : ` Names and terms that may occur: ${hints.join(', ')}.`;
  return `Transcribe what is said in this audio word for word.${spoken}${words} Answer with the transcript alone; answer with nothing when nobody speaks.`;
}
