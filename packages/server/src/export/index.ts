import { writeCsv } from './csv.ts';
import { writeJson } from './json.ts';
import { writeSrt } from './srt.ts';
import type { ExportTranscript } from './transcript-input.ts';
import { writeTxt } from './txt.ts';
import { writeVtt } from './vtt.ts';

/** Every file format: how it is written, served and named. */
export const exportFormats = {
  txt: { contentType: 'text/plain; charset=utf-8', extension: 'txt', write: writeTxt },
  srt: { contentType: 'application/x-subrip; charset=utf-8', extension: 'srt', write: writeSrt },
  vtt: { contentType: 'text/vtt; charset=utf-8', extension: 'vtt', write: writeVtt },
  json: { contentType: 'application/json; charset=utf-8', extension: 'json', write: writeJson },
  csv: { contentType: 'text/csv; charset=utf-8', extension: 'csv', write: writeCsv },
} as const satisfies Record<
  string,
  { contentType: string; extension: string; write: (transcript: ExportTranscript) => string }
>;
