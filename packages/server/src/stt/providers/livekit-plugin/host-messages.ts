import type { SttFaultKind } from '../../stt.ts';

/** What the provider tells the process that runs the plugin. */
export type ToHost =
  | { do: 'load'; package: string; folder: string; options: Record<string, unknown> }
  | { do: 'open'; stream: number; language: string; hints: readonly string[]; hintsOption: string | null }
  | { do: 'hear'; stream: number; pcm: Uint8Array }
  | { do: 'finish'; stream: number }
  | { do: 'close'; stream: number };

/** Times are milliseconds from the beginning of the stream, null when the plugin does not tell. */
export interface PluginText {
  text: string;
  startMs: number | null;
  endMs: number | null;
  confidence?: number;
  language?: string;
  words?: { text: string; startMs: number; endMs: number; confidence?: number }[];
}

/** What that process tells. */
export type FromHost =
  | { tell: 'loaded'; agents: string; plugin: string; streaming: boolean; partials: boolean }
  | { tell: 'failed'; why: 'missing' | 'version' | 'plugin'; message: string }
  | { tell: 'partial' | 'final'; stream: number; text: PluginText }
  | { tell: 'speech'; stream: number; begins: boolean }
  | { tell: 'fault'; stream: number; kind: SttFaultKind; message: string }
  | { tell: 'finished'; stream: number };
