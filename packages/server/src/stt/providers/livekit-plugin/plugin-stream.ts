import { setTimeout as delay } from 'node:timers/promises';
import type { FromHost, PluginText, ToHost } from './host-messages.ts';
import type { AgentsSpeechData, AgentsSpeechStream, LoadedPlugin } from './loaded-plugin.ts';
import { watchConnections } from './plugin-connections.ts';
import { type PluginFault, pluginFault } from './plugin-faults.ts';

/** After a flush nothing more comes when nothing came for this long. */
const quietMs = 700;
const flushWithinMs = 8_000;
/** A plugin that does not end by itself is ended. */
const endWithinMs = 3_000;

/** One stream of the plugin, as it is without its own attempts at repair: those lose words, ours do not. */
export class PluginStream {
  readonly #number: number;
  readonly #plugin: LoadedPlugin;
  readonly #tell: (message: FromHost) => void;
  readonly #stream: AgentsSpeechStream | null;
  #isOver = false;
  #isEnding = false;
  #heardMs = performance.now();
  #reading: Promise<void> = Promise.resolve();

  constructor(
    plugin: LoadedPlugin,
    { stream, language, hints, hintsOption }: Extract<ToHost, { do: 'open' }>,
    tell: (message: FromHost) => void,
  ) {
    this.#number = stream;
    this.#plugin = plugin;
    this.#tell = tell;
    const asked = {
      ...(language !== 'auto' && { language }),
      ...(hintsOption !== null && hints.length > 0 && { [hintsOption]: hints }),
    };
    try {
      this.#stream = watchConnections(
        () => this.#open({ ...asked, ...plugin.options }),
        () => {
          if (!this.#isEnding) this.#fail(ended('The connection of the plugin was lost.'));
        },
      );
      this.#reading = this.#read(this.#stream);
    } catch (thrown) {
      this.#stream = null;
      this.#fail(pluginFault(thrown));
    }
  }

  /** True after a fault or `close()`: nothing comes any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  hear(bytes: Uint8Array): void {
    if (this.#isOver || this.#isEnding || !this.#stream) return;
    const pcm = new Int16Array(bytes.length / 2);
    new Uint8Array(pcm.buffer).set(bytes);
    try {
      this.#stream.pushFrame(this.#plugin.frame(pcm));
    } catch (thrown) {
      this.#fail(pluginFault(thrown));
    }
  }

  /** Plugins drop what comes after the end of the audio; so the text is asked for before. */
  async finish(): Promise<void> {
    if (this.#isOver || !this.#stream) return;
    try {
      this.#stream.flush();
      this.#heardMs = performance.now();
      await this.#quiet();
      this.#isEnding = true;
      if (!this.#isOver) this.#stream.endInput();
      await Promise.race([this.#reading, delay(endWithinMs, undefined, { ref: false })]);
    } catch (thrown) {
      this.#fail(pluginFault(thrown));
    }
    this.close();
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#isEnding = true;
    this.#stream?.close();
  }

  #open(options: Record<string, unknown>): AgentsSpeechStream {
    const stt = this.#plugin.make(options);
    stt.on('error', ({ error }) => this.#fail(pluginFault(error)));
    return stt.stream({ connOptions: { maxRetry: 0, retryIntervalMs: 0, timeoutMs: 10_000 } });
  }

  async #quiet(): Promise<void> {
    const until = performance.now() + flushWithinMs;
    while (!this.#isOver && performance.now() < until && performance.now() - this.#heardMs < quietMs) {
      await delay(50, undefined, { ref: false });
    }
  }

  async #read(stream: AgentsSpeechStream): Promise<void> {
    const { start, partial, final, end } = this.#plugin.events;
    try {
      for await (const { type, alternatives } of stream) {
        if (this.#isOver) return;
        this.#heardMs = performance.now();
        const said = alternatives?.[0];
        if (type === partial && said) this.#say('partial', said);
        else if (type === final && said) this.#say('final', said);
        else if (type === start || type === end)
          this.#tell({ tell: 'speech', stream: this.#number, begins: type === start });
      }
      if (!this.#isEnding) this.#fail(ended('The plugin ended the stream.'));
    } catch (thrown) {
      this.#fail(pluginFault(thrown));
    }
  }

  #say(tell: 'partial' | 'final', data: AgentsSpeechData): void {
    this.#tell({ tell, stream: this.#number, text: textOf(data) });
  }

  #fail(fault: PluginFault): void {
    if (this.#isOver) return;
    this.close();
    this.#tell({ tell: 'fault', stream: this.#number, ...fault });
  }
}

/** An end without a reason of the plugin's own. */
function ended(message: string): PluginFault {
  return { kind: 'transient', message };
}

function textOf({ text, startTime, endTime, confidence, language, words }: AgentsSpeechData): PluginText {
  const isTimed = endTime !== undefined && endTime > 0;
  const timed = (words ?? []).filter((word) => word.endTime !== undefined && word.endTime > 0);
  return {
    text,
    startMs: isTimed ? (startTime ?? 0) * 1000 : null,
    endMs: isTimed ? endTime * 1000 : null,
    ...known(confidence),
    ...(language !== undefined && language !== '' && { language }),
    ...(timed.length > 0 && {
      words: timed.map((word) => ({
        text: word.text,
        startMs: (word.startTime ?? 0) * 1000,
        endMs: (word.endTime ?? 0) * 1000,
        ...known(word.confidence),
      })),
    }),
  };
}

/** Plugins say 0 or 1 where their service says nothing. */
function known(confidence: number | undefined): { confidence?: number } {
  return confidence === undefined || confidence <= 0 || confidence >= 1 ? {} : { confidence };
}
