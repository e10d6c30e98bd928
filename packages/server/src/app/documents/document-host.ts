import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type MessagePort, parentPort } from 'node:worker_threads';
import { asError } from '../../errors.ts';
import type { ExportTranscript } from '../../export/transcript-input.ts';
import type { DocumentFormat, DocumentPart, DocumentResult } from './document-messages.ts';

/** The thread in which one document is made: takes the transcript part by part, answers with the file, and ends. */
if (parentPort) serve(parentPort);

function serve(port: MessagePort): void {
  const segments: ExportTranscript['segments'][number][] = [];
  port.on('message', (part: DocumentPart) => {
    if (part.type === 'segments') {
      segments.push(...part.segments);
      return;
    }
    const { format, session, coverage } = part;
    void answer(port, format, { session, segments, coverage });
  });
}

async function answer(
  port: MessagePort,
  format: DocumentFormat,
  transcript: ExportTranscript,
): Promise<void> {
  let result: DocumentResult;
  try {
    result = { file: await make(format, transcript) };
  } catch (thrown) {
    result = { error: asError(thrown).message };
  }
  port.postMessage(result, 'file' in result ? [result.file.buffer as ArrayBuffer] : []);
  port.close();
}

async function make(format: DocumentFormat, transcript: ExportTranscript): Promise<Uint8Array> {
  if (format === 'docx') return (await import('../../export/docx.ts')).writeDocx(transcript);
  const { writePdf } = await import('../../export/pdf.ts');
  return writePdf(transcript, { regular: await font('400Regular'), bold: await font('700Bold') });
}

function font(weight: '400Regular' | '700Bold'): Promise<Buffer> {
  const path = `@expo-google-fonts/noto-sans/${weight}/NotoSans_${weight}.ttf`;
  return readFile(fileURLToPath(import.meta.resolve(path)));
}
