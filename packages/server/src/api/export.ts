import { cleanTextSchema } from '@dialoglens/protocol';
import { z } from 'zod';
import { DialogLensError } from '../errors.ts';
import type { Session } from '../store/store.ts';
import { type ApiInstance, problems, type ResourceDeps } from './api-instance.ts';
import type { ExportFormat } from './ports.ts';
import { readableSession, sessionParams } from './sessions.ts';
import { wholeTranscript } from './whole-transcript.ts';

/** More finals than a week of talk; what is beyond is to be read page by page. */
const maxSegments = 200_000;

/** Transcripts as files. */
export function registerExport(app: ApiInstance, { store, exportFormats }: ResourceDeps): void {
  app.get(
    '/api/sessions/:id/export',
    {
      schema: {
        tags: ['sessions'],
        summary: 'The transcript as a file',
        params: sessionParams,
        querystring: z.object({
          format: cleanTextSchema.describe(
            'One of the formats this server has: txt, srt, vtt, json, csv, docx, pdf.',
          ),
        }),
        produces: ['application/octet-stream'],
        response: {
          200: z.instanceof(Uint8Array).describe('The file.'),
          ...problems('not_found', 'unsupported_format', 'export_too_large', 'export_busy'),
        },
      },
    },
    async (request, reply) => {
      const format = pickFormat(exportFormats, request.query.format);
      const session = await readableSession(store, request.caller, request.params.id);
      const file = await format.write(await wholeTranscript(store.record, session, maxSegments));
      const body = typeof file === 'string' ? Buffer.from(file, 'utf8') : Buffer.from(file);
      return reply
        .header('content-type', format.contentType)
        .header('content-disposition', contentDisposition(fileName(session, format.extension)))
        .send(body);
    },
  );
}

function pickFormat(formats: Readonly<Record<string, ExportFormat>>, name: string): ExportFormat {
  const format = Object.hasOwn(formats, name) ? formats[name] : undefined;
  if (format) return format;
  throw new DialogLensError('unsupported_format', 'format: is not one this server can write', {
    field: 'format',
    remedy: `Use one of: ${Object.keys(formats).join(', ')}.`,
  });
}

/** Room and day, as the file is called: `weekly call 2026-01-31.txt`. */
function fileName(session: Session, extension: string): string {
  const day = new Date(session.startedAt).toISOString().slice(0, 10);
  const room = session.room.replace(unsafeInNames, '_').trim();
  return `${[...room].slice(0, 100).join('') || 'transcript'} ${day}.${extension}`;
}

// Path separators, what Windows refuses, control characters, and marks that turn the direction of text around.
const unsafeInNames = /[/\\:*?"<>|\p{Cc}\p{Surrogate}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** The header with an ASCII name for old readers and the real one (RFC 6266, RFC 5987). */
export function contentDisposition(name: string): string {
  const ascii = name.replace(/[^\w .()-]/gu, '_');
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
