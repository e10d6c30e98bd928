import type { FromHost, ToHost } from './host-messages.ts';
import type { LoadedPlugin } from './loaded-plugin.ts';
import { PluginStream } from './plugin-stream.ts';

/** The streams of the plugin that are open, by number. */
export class PluginStreams {
  readonly #tell: (message: FromHost) => void;
  readonly #streams = new Map<number, PluginStream>();

  constructor(tell: (message: FromHost) => void) {
    this.#tell = tell;
  }

  get size(): number {
    return this.#streams.size;
  }

  open(plugin: LoadedPlugin, wish: Extract<ToHost, { do: 'open' }>): void {
    const stream = new PluginStream(plugin, wish, (message) => {
      // Nobody closes a stream that told its fault.
      if (message.tell === 'fault') this.#streams.delete(wish.stream);
      this.#tell(message);
    });
    if (!stream.isOver) this.#streams.set(wish.stream, stream);
  }

  hear(number: number, pcm: Uint8Array): void {
    this.#streams.get(number)?.hear(pcm);
  }

  async finish(number: number): Promise<void> {
    await this.#streams.get(number)?.finish();
    this.#streams.delete(number);
    this.#tell({ tell: 'finished', stream: number });
  }

  close(number: number): void {
    this.#streams.get(number)?.close();
    this.#streams.delete(number);
  }
}
