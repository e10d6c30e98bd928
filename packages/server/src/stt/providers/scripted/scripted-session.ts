import { samplesPerMs } from '../../../audio/track-clock.ts';
import type { SttEvent, SttOpenOptions, SttSession } from '../../stt.ts';
import type { ScriptedFault, ScriptedWord } from './script.ts';

export interface ScriptedSessionOptions {
  options: SttOpenOptions;
  /** In the order of their times. */
  words: readonly ScriptedWord[];
  faults: readonly ScriptedFault[];
  /** Says whether the fault happens (again). */
  takeFault: (fault: ScriptedFault) => boolean;
  pauseMs: number;
  finalDelayMs: number;
  confidence: boolean;
  onEvent: (event: SttEvent) => void;
  onClosed: () => void;
}

/** One stream of the scripted provider. Emits while audio is written, and only then. */
export class ScriptedSession implements SttSession {
  readonly #setup: ScriptedSessionOptions;
  #nextWord = 0;
  #nextFault = 0;
  #heard: ScriptedWord[] = [];
  /** Audio is known without a hole from here … */
  #from: number;
  /** … to here. */
  #position: number;
  #state: 'open' | 'dead' | 'closed' = 'open';

  constructor(setup: ScriptedSessionOptions) {
    this.#setup = setup;
    this.#from = setup.options.startSample;
    this.#position = setup.options.startSample;
  }

  write(pcm: Int16Array, firstSample: number, _speech: boolean): void {
    if (this.#state !== 'open' || firstSample + pcm.length <= this.#position) return;
    if (firstSample > this.#position) {
      this.#endUtterance(this.#position);
      this.#from = firstSample;
    }
    this.#advance(firstSample + pcm.length);
  }

  flush(): void {
    if (this.#state === 'open') this.#endUtterance(this.#position);
  }

  async finish(): Promise<void> {
    this.flush();
    this.close();
    return Promise.resolve();
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#setup.onClosed();
  }

  /** Lets happen, in the order of their times, what lies before `end`. */
  #advance(end: number): void {
    for (let due = this.#next(end); due && this.#state === 'open'; due = this.#next(end)) {
      this.#position = Math.max(this.#position, due.sample);
      due.happen();
    }
    this.#position = Math.max(this.#position, end);
  }

  #next(end: number): { sample: number; happen: () => void } | undefined {
    const word = this.#setup.words[this.#nextWord];
    const fault = this.#setup.faults[this.#nextFault];
    const last = this.#heard.at(-1);
    const candidates: { sample: number; happen: () => void }[] = [];
    if (fault) candidates.push({ sample: fault.atMs * samplesPerMs, happen: () => this.#fault(fault) });
    if (last) {
      const sample = (last.endMs + this.#setup.finalDelayMs) * samplesPerMs;
      const more = word && word.startMs - last.endMs < this.#setup.pauseMs;
      // An utterance ends before the next one begins, however late its final comes.
      const end = Math.min(sample, (word?.startMs ?? Number.POSITIVE_INFINITY) * samplesPerMs);
      if (!more) candidates.push({ sample, happen: () => this.#endUtterance(end) });
    }
    if (word) candidates.push({ sample: word.endMs * samplesPerMs, happen: () => this.#hear(word) });
    return candidates.filter(({ sample }) => sample <= end).sort((a, b) => a.sample - b.sample)[0];
  }

  #hear(word: ScriptedWord): void {
    this.#nextWord += 1;
    if (word.startMs * samplesPerMs < this.#from) return;
    const first = this.#heard[0] ?? word;
    if (this.#heard.length === 0) this.#emit({ type: 'speech-start', sample: word.startMs * samplesPerMs });
    const stable = this.#heard.map((heard) => heard.text).join(' ');
    this.#heard.push(word);
    if (!this.#setup.options.wantPartials) return;
    this.#emit({
      type: 'partial',
      text: this.#heard.map((heard) => heard.text).join(' '),
      startSample: first.startMs * samplesPerMs,
      endSample: word.endMs * samplesPerMs,
      stableLength: stable.length,
    });
  }

  #endUtterance(endSample: number): void {
    const first = this.#heard[0];
    if (!first) return;
    const words = this.#heard;
    this.#heard = [];
    const startSample = first.startMs * samplesPerMs;
    this.#emit({ type: 'speech-end', sample: endSample });
    this.#emit({
      type: 'final',
      text: words.map((word) => word.text).join(' '),
      startSample,
      endSample,
      ...(this.#setup.confidence ? { confidence: mean(words.map((word) => word.confidence ?? 0.9)) } : {}),
      ...(this.#setup.options.wantWords ? { words: words.map(wordOf) } : {}),
      ...(this.#setup.options.language === 'auto' ? {} : { language: this.#setup.options.language }),
    });
    this.#emit({ type: 'usage', audioMs: (endSample - startSample) / samplesPerMs });
  }

  #fault(fault: ScriptedFault): void {
    this.#nextFault += 1;
    if (!this.#setup.takeFault(fault)) return;
    if (fault.kind === 'closing') {
      this.#emit({ type: 'closing', deadlineMs: fault.deadlineMs ?? 5_000 });
      return;
    }
    const first = this.#heard[0];
    this.#heard = [];
    if (fault.kind !== 'silence') {
      const lost = first && {
        startSample: first.startMs * samplesPerMs,
        endSample: fault.atMs * samplesPerMs,
      };
      this.#emit({
        type: 'fault',
        kind: fault.kind,
        message: fault.message ?? `Scripted fault: ${fault.kind}.`,
        ...(lost && fault.survives ? { lost } : {}),
      });
    }
    if (!fault.survives && this.#state === 'open') this.#state = 'dead';
  }

  #emit(event: SttEvent): void {
    if (this.#state === 'open') this.#setup.onEvent(event);
  }
}

function wordOf(word: ScriptedWord): { text: string; startMs: number; endMs: number } {
  return { text: word.text, startMs: word.startMs, endMs: word.endMs };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
