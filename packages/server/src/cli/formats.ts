import { extname } from 'node:path';
import { allFormats } from '../app/documents/document-formats.ts';
import { DialogLensError } from '../errors.ts';
import { exportFormats } from '../export/index.ts';

/** Formats a transcript can be written in. */
export type FormatName = keyof typeof allFormats;
export const formatNames = Object.keys(allFormats);

/** The one asked for, else the one that the name of the file ends in, else plain text. */
export function formatFor(asked: FormatName | undefined, file: string | undefined): FormatName {
  const ending = extname(file ?? '')
    .slice(1)
    .toLowerCase();
  return asked ?? (Object.hasOwn(allFormats, ending) ? (ending as FormatName) : 'txt');
}

/** A terminal shows text only; a pipe takes anything. @throws DialogLensError `invalid_request` naming `out` */
export function refuseTerminal(format: FormatName): void {
  if (!process.stdout.isTTY || format in exportFormats) return;
  throw new DialogLensError('invalid_request', `A terminal cannot show ${format}.`, {
    field: 'out',
    remedy: `Name a file: --out transcript.${allFormats[format].extension}`,
  });
}
