import { Worker } from 'node:worker_threads';
import { builtProgram } from '../../built-program.ts';
import { asError, DialogLensError } from '../../errors.ts';
import { exportFormats } from '../../export/index.ts';
import { maxDocumentCharacters, maxDocumentSegments } from '../../export/paragraphs.ts';
import type { ExportTranscript } from '../../export/transcript-input.ts';
import type { DocumentFormat, DocumentPart, DocumentResult } from './document-messages.ts';

const program = builtProgram('app/documents/document-host.js');

/** Documents made at the same time by this process; each may need a few hundred megabytes. */
const maxAtOnce = 2;
/** Further ones that wait. */
const maxWaiting = 8;
/** Heap of one document's thread, MB. */
const maxHeapMb = 1_024;
/** Segments handed over in one go, so that copying them never holds other requests up. */
const segmentsPerPart = 200;

/** Every file format of this server: those that are text, and documents, which are made in threads of their own. */
export const allFormats = {
  ...exportFormats,
  docx: {
    contentType: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    extension: 'docx',
    write: (transcript: ExportTranscript) => writeDocument('docx', transcript),
  },
  pdf: {
    contentType: 'application/pdf',
    extension: 'pdf',
    write: (transcript: ExportTranscript) => writeDocument('pdf', transcript),
  },
};

let running = 0;
const waiting: (() => void)[] = [];

/** @throws DialogLensError `export_too_large`, `export_busy` */
async function writeDocument(format: DocumentFormat, transcript: ExportTranscript): Promise<Uint8Array> {
  const characters = transcript.segments.reduce((sum, { text }) => sum + text.length, 0);
  if (transcript.segments.length > maxDocumentSegments || characters > maxDocumentCharacters)
    throw tooLarge(format);
  if (running >= maxAtOnce) await queue();
  else running++;
  try {
    return await inThread(format, transcript);
  } finally {
    // Whoever waits longest goes on in our place.
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}

function queue(): Promise<void> {
  if (waiting.length >= maxWaiting) {
    throw new DialogLensError('export_busy', `${maxAtOnce + maxWaiting} documents are being made.`, {
      remedy: 'Try again in a minute, or take a format that is text.',
    });
  }
  return new Promise((resolve) => waiting.push(resolve));
}

async function inThread(
  format: DocumentFormat,
  { session, segments, coverage }: ExportTranscript,
): Promise<Uint8Array> {
  // Flags of this process, such as how it reads its own program, are not for that one.
  const thread = new Worker(program, { execArgv: [], resourceLimits: { maxOldGenerationSizeMb: maxHeapMb } });
  const result = resultOf(thread, format);
  // It may fail while parts are still being handed over; whoever awaits it learns it then.
  result.catch(() => undefined);
  try {
    for (let from = 0; from < segments.length; from += segmentsPerPart) {
      const part: DocumentPart = { type: 'segments', segments: segments.slice(from, from + segmentsPerPart) };
      thread.postMessage(part);
      await new Promise(setImmediate);
    }
    const last: DocumentPart = { type: 'write', format, session, coverage };
    thread.postMessage(last);
    return await result;
  } finally {
    await thread.terminate();
  }
}

function resultOf(thread: Worker, format: DocumentFormat): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    thread.once('message', (result: DocumentResult) => {
      if ('file' in result) resolve(result.file);
      else reject(new Error(`The ${format} could not be made: ${result.error}`));
    });
    thread.once('error', (thrown) => {
      const error = asError(thrown);
      const isFull = Reflect.get(error, 'code') === 'ERR_WORKER_OUT_OF_MEMORY';
      reject(isFull ? tooLarge(format) : error);
    });
    thread.once('exit', () => reject(new Error(`The thread that made the ${format} has ended.`)));
  });
}

function tooLarge(format: DocumentFormat): DialogLensError {
  return new DialogLensError('export_too_large', `This transcript is too long for a ${format} document.`, {
    field: 'format',
    remedy: 'Use txt, json or csv.',
  });
}
