import { create, type Font } from 'fontkit';
import PdfDocument from 'pdfkit';
import { type DocumentContent, toDocument } from './paragraphs.ts';
import type { ExportTranscript } from './transcript-input.ts';

/** TrueType fonts that are embedded, as far as their letters are used. */
export interface PdfFonts {
  regular: Buffer;
  bold: Buffer;
}

const margin = 56;
const grey = '#595959';
const zeroWidthSpace = '\u200b';
/** Longer stretches that the font lacks are marked piece by piece: a mark ends with its page. */
const maxMarkedCharacters = 500;
/**
 * A PDF: head, then a paragraph for each segment with time and speaker, page numbers below. Letters that the fonts lack
 * show as boxes, the head says how many and of which scripts, and copying or searching the text still finds them.
 */
export async function writePdf(transcript: ExportTranscript, fonts: PdfFonts): Promise<Uint8Array> {
  const content = toDocument(transcript);
  const document = new PdfDocument({
    size: 'A4',
    margin,
    bufferPages: true,
    // Else pdfkit begins with a font that is not embedded.
    font: '',
    info: { Title: content.title, Creator: 'DialogLens' },
    lang: 'en',
  });
  const chunks: Buffer[] = [];
  document.on('data', (chunk: Buffer) => chunks.push(chunk));
  const finished = new Promise<void>((resolve, reject) => {
    document.once('end', resolve);
    document.once('error', reject);
  });
  const page = new TypedPage(document, fonts);
  writeHead(page, content);
  for (const { time, speaker, text } of content.paragraphs) {
    const pieces = [{ text: `${time}  `, colour: grey }, { text: `${speaker}: `, bold: true }, { text }];
    page.paragraph(pieces, { spaceBelow: 5 });
  }
  page.numberPages();
  document.end();
  await finished;
  return new Uint8Array(Buffer.concat(chunks));
}

function writeHead(page: TypedPage, { title, head, paragraphs }: DocumentContent): void {
  page.paragraph([{ text: title, bold: true }], { size: 18, spaceBelow: 8 });
  for (const { label, text } of head) {
    page.paragraph([{ text: `${label}: `, bold: true }, { text }], { spaceBelow: 1 });
  }
  const missing = page.missingIn([title, ...head.map(({ text }) => text), ...spokenTexts(paragraphs)]);
  if (missing !== null) page.paragraph([{ text: missing, colour: '#8a5200' }], { spaceBelow: 1 });
  page.space(8);
}

function* spokenTexts(paragraphs: DocumentContent['paragraphs']): Iterable<string> {
  for (const { speaker, text } of paragraphs) {
    yield speaker;
    yield text;
  }
}

interface Piece {
  text: string;
  bold?: boolean;
  colour?: string;
}

/** Puts text on pages, and knows which letters it can show. */
class TypedPage {
  readonly #document: PDFKit.PDFDocument;
  readonly #letters: { regular: Letters; bold: Letters };

  constructor(document: PDFKit.PDFDocument, fonts: PdfFonts) {
    this.#document = document;
    this.#letters = { regular: new Letters(fonts.regular), bold: new Letters(fonts.bold) };
    document.registerFont('regular', fonts.regular);
    document.registerFont('bold', fonts.bold);
    document.font('regular');
  }

  paragraph(
    pieces: readonly Piece[],
    { size = 10.5, spaceBelow }: { size?: number; spaceBelow: number },
  ): void {
    const document = this.#document.fontSize(size);
    const stretches = pieces.flatMap(({ text, bold, colour }) => {
      const font = bold ? ('bold' as const) : ('regular' as const);
      return [...this.#letters[font].stretches(text)].map((stretch) => ({ ...stretch, font, colour }));
    });
    for (const [index, { isShown, text, font, colour = '#000000' }] of stretches.entries()) {
      document.font(font).fillColor(colour);
      const mark = { actual: text };
      if (!isShown) document.markContent('Span', mark);
      // pdfkit marks what goes on on the next page in the same way; there the text must not stand once more.
      mark.actual = zeroWidthSpace;
      document.text(breakable(text), { continued: index < stretches.length - 1, lineGap: 1.5 });
      if (!isShown) document.endMarkedContent();
    }
    this.space(spaceBelow);
  }

  space(height: number): void {
    this.#document.y += height;
  }

  /** A sentence about letters that show as boxes; null when there are none. */
  missingIn(texts: Iterable<string>): string | null {
    const found = new Map<string, number>();
    for (const text of texts) this.#letters.regular.countMissing(text, found);
    const total = [...found.values()].reduce((sum, count) => sum + count, 0);
    if (total === 0) return null;
    const scripts = [...found.keys()].sort().join(', ');
    const [show, them] =
      total === 1 ? ['1 character shows as a box', 'it'] : [`${total} characters show as boxes`, 'them'];
    return `${show} here, because the font of this document lacks ${them} (${scripts}). Copying or searching the text finds ${them}; the text and Word exports, and the print view of the web page, show ${them}.`;
  }

  numberPages(): void {
    const { start, count } = this.#document.bufferedPageRange();
    for (let index = start; index < start + count; index++) {
      this.#document.switchToPage(index);
      const { page } = this.#document;
      // Below the margin, where text would begin a new page.
      page.margins.bottom = 0;
      this.#document
        .font('regular')
        .fontSize(9)
        .fillColor(grey)
        .text(`${index + 1} / ${count}`, margin, page.height - margin + 16, {
          width: page.width - 2 * margin,
          align: 'center',
          lineBreak: false,
        });
    }
  }
}

/** pdfkit measures a word anew for every letter that does not fit its line; long ones get places to break at. */
function breakable(text: string): string {
  return text.replace(longWord, (word) => `${word}${zeroWidthSpace}`);
}
const longWord = /\S{24}(?=\S)/gu;

interface Stretch {
  isShown: boolean;
  text: string;
}

/** The letters a font has. */
class Letters {
  readonly #font: Font;
  readonly #known = new Map<number, boolean>();

  constructor(bytes: Buffer) {
    const font = create(bytes);
    if ('fonts' in font) throw new Error('a collection of fonts is no font');
    this.#font = font;
  }

  /** Cuts a text where it goes from letters that can be shown to those that cannot, and back. */
  *stretches(text: string): Iterable<Stretch> {
    let isShown = true;
    let stretch = '';
    for (const letter of text) {
      const has = this.#has(letter);
      if (stretch !== '' && (has !== isShown || (!has && stretch.length >= maxMarkedCharacters))) {
        yield { isShown, text: stretch };
        stretch = '';
      }
      isShown = has;
      stretch += letter;
    }
    if (stretch !== '') yield { isShown, text: stretch };
  }

  countMissing(text: string, found: Map<string, number>): void {
    for (const letter of text) {
      if (this.#has(letter)) continue;
      const script = scriptOf(letter);
      found.set(script, (found.get(script) ?? 0) + 1);
    }
  }

  #has(letter: string): boolean {
    const codePoint = letter.codePointAt(0) ?? 0;
    let has = this.#known.get(codePoint);
    if (has === undefined) {
      has = this.#font.hasGlyphForCodePoint(codePoint) || /\p{Default_Ignorable_Code_Point}/u.test(letter);
      this.#known.set(codePoint, has);
    }
    return has;
  }
}

/** Scripts that people speak in most, of those the fonts may lack. */
const scripts = [
  'Han',
  'Hiragana',
  'Katakana',
  'Hangul',
  'Arabic',
  'Hebrew',
  'Thai',
  'Bengali',
  'Tamil',
  'Telugu',
  'Gujarati',
  'Kannada',
  'Malayalam',
  'Gurmukhi',
  'Sinhala',
  'Khmer',
  'Lao',
  'Myanmar',
  'Tibetan',
  'Georgian',
  'Armenian',
  'Ethiopic',
].map((name) => ({ name, matches: new RegExp(`\\p{Script=${name}}`, 'u') }));

function scriptOf(letter: string): string {
  if (/\p{Extended_Pictographic}/u.test(letter)) return 'emoji';
  return scripts.find(({ matches }) => matches.test(letter))?.name ?? 'other signs';
}
