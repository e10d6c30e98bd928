import { AlignmentType, Document, Footer, HeadingLevel, Packer, PageNumber, Paragraph, TextRun } from 'docx';
import { type DocumentContent, toDocument } from './paragraphs.ts';
import type { ExportTranscript } from './transcript-input.ts';

/** Word breaks words of this length wherever it likes, and slows down with longer runs. */
const maxRunCharacters = 30_000;

/**
 * A Word document: head, then a paragraph for each segment with time and speaker, page numbers below. Fonts are those of
 * the reader's machine, so that every script shows; direction is found by each paragraph's own text.
 */
export async function writeDocx(transcript: ExportTranscript): Promise<Uint8Array> {
  const content = toDocument(transcript);
  const document = new Document({
    creator: 'DialogLens',
    title: content.title,
    styles: { default: { document: { run: { font: 'Calibri', size: 22 } } } },
    sections: [
      {
        footers: { default: new Footer({ children: [pageNumbers()] }) },
        children: [...head(content), ...content.paragraphs.map(spoken)],
      },
    ],
  });
  return new Uint8Array(await Packer.toArrayBuffer(document));
}

function head({ title, head: lines }: DocumentContent): Paragraph[] {
  return [
    new Paragraph({ heading: HeadingLevel.TITLE, children: runs(title) }),
    ...lines.map(
      ({ label, text }) =>
        new Paragraph({
          spacing: { after: 40 },
          children: [new TextRun({ text: `${label}: `, bold: true }), ...runs(text)],
        }),
    ),
    new Paragraph({ spacing: { after: 200 } }),
  ];
}

function spoken({ time, speaker, text }: DocumentContent['paragraphs'][number]): Paragraph {
  return new Paragraph({
    spacing: { after: 120 },
    bidirectional: startsRightToLeft(text),
    children: [
      new TextRun({ text: `${time}  `, color: '595959', size: 18 }),
      new TextRun({ text: `${speaker}: `, bold: true }),
      ...runs(text),
    ],
  });
}

function runs(text: string): TextRun[] {
  const parts: TextRun[] = [];
  for (let from = 0; from < text.length || from === 0; ) {
    const to = endOfRun(text, from);
    parts.push(new TextRun({ text: text.slice(from, to), rightToLeft: startsRightToLeft(text) }));
    from = Math.max(to, from + 1);
  }
  return parts;
}

/** Not between the halves of a character. */
function endOfRun(text: string, from: number): number {
  const to = Math.min(text.length, from + maxRunCharacters);
  return to < text.length && /[\udc00-\udfff]/.test(text.charAt(to)) ? to - 1 : to;
}

/** The first letter that has a direction says it for the paragraph (the rule of Unicode's P2). */
function startsRightToLeft(text: string): boolean {
  const letter = /\p{L}/u.exec(text.slice(0, 1_000))?.[0] ?? '';
  return /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u.test(letter);
}

function pageNumbers(): Paragraph {
  return new Paragraph({
    alignment: AlignmentType.CENTER,
    children: [new TextRun({ size: 18, children: [PageNumber.CURRENT, ' / ', PageNumber.TOTAL_PAGES] })],
  });
}
