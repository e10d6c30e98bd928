import type { SttCapabilities, SttEvent, SttOpenOptions, SttProvider, SttSession } from '../stt/stt.ts';

/** An engine whose words the test speaks for it; finals come when the stream is finished. */
export class PuppetProvider implements SttProvider {
  readonly name = 'puppet';
  readonly capabilities: SttCapabilities = {
    partials: true,
    wordTimes: 'none',
    confidence: false,
    diarization: false,
    autoLanguage: false,
    hints: false,
    languages: 'any',
    maxSessionMs: null,
    maxChunkBytes: null,
    needsVad: false,
    replayRate: 1,
    parkAfterSilenceMs: null,
  };
  /** The newest stream of each track. */
  readonly streams = new Map<string, (event: SttEvent) => void>();
  readonly opened: SttOpenOptions[] = [];
  /** Samples written for each track. */
  readonly heard = new Map<string, number>();
  onFinish: (trackId: string) => SttEvent[] = () => [];
  start = async () => undefined;
  stop = async () => undefined;

  open(options: SttOpenOptions, onEvent: (event: SttEvent) => void): SttSession {
    const { trackId } = options;
    this.opened.push(options);
    this.streams.set(trackId, onEvent);
    return {
      write: (pcm) => {
        this.heard.set(trackId, (this.heard.get(trackId) ?? 0) + pcm.length);
      },
      flush: () => undefined,
      finish: async () => {
        for (const event of this.onFinish(trackId)) onEvent(event);
      },
      close: () => undefined,
    };
  }

  say(trackId: string, event: SttEvent): void {
    this.streams.get(trackId)?.(event);
  }
}
