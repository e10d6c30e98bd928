import type { ExportTranscript } from '../../export/transcript-input.ts';

export type DocumentFormat = 'docx' | 'pdf';

/** What the thread is told: the segments in parts, then everything else. */
export type DocumentPart =
  | { type: 'segments'; segments: ExportTranscript['segments'] }
  | {
      type: 'write';
      format: DocumentFormat;
      session: ExportTranscript['session'];
      coverage: ExportTranscript['coverage'];
    };

/** What the thread answers. */
export type DocumentResult = { file: Uint8Array } | { error: string };
