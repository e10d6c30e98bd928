import { mkdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve, sep } from 'node:path';
import { allFormats } from '../app/documents/document-formats.ts';
import { asError, DialogLensError } from '../errors.ts';
import { type FormatName, formatFor, refuseTerminal } from './formats.ts';

/** Where transcripts go, and how they are written. */
export interface TranscriptTarget {
  format: FormatName;
  /** The file for the transcript of a recording; null for the terminal. */
  pathOf(recording: string): string | null;
}

/**
 * Where transcripts of `files` go; the ending of `out` decides the format when nothing else does. Makes the folder.
 * @throws DialogLensError `invalid_request` when they cannot go there, cannot be shown there, or would overwrite each other
 */
export async function targetOf(
  files: readonly string[],
  { format, out }: { format?: FormatName; out?: string },
): Promise<TranscriptTarget> {
  const chosen = formatFor(format, out);
  if (out === undefined) {
    refuseTerminal(chosen);
    return { format: chosen, pathOf: () => null };
  }
  const isFolder = await stat(out).then(
    (found) => found.isDirectory(),
    () => out.endsWith('/') || files.length > 1,
  );
  if (isFolder) return intoFolder(files, out, chosen);
  if (files.length === 1) return { format: chosen, pathOf: () => out };
  throw new DialogLensError(
    'invalid_request',
    `${out} is a file, and there are ${files.length} recordings.`,
    {
      field: 'out',
      remedy: 'Name a folder: every recording gets a transcript of its own.',
    },
  );
}

/** Writes one transcript. @throws DialogLensError `invalid_request` when that is not possible */
export async function writeTranscript(path: string, text: string | Uint8Array): Promise<void> {
  await mapErrors(`The file ${path} cannot be written`, () => writeFile(path, text));
  console.error(`Wrote ${path}`);
}

async function intoFolder(
  files: readonly string[],
  folder: string,
  format: FormatName,
): Promise<TranscriptTarget> {
  const name = distinctNames(files);
  await mapErrors(`The folder ${folder} cannot be made`, () => mkdir(folder, { recursive: true }));
  const { extension } = allFormats[format];
  return { format, pathOf: (file) => join(folder, `${name(file)}.${extension}`) };
}

/** The shortest way to name transcripts by which none overwrites another. */
function distinctNames(files: readonly string[]): (file: string) => string {
  const shared = sharedFolder(files);
  const ways: ((file: string) => string)[] = [
    (file) => basename(file, extname(file)),
    (file) => basename(file),
    (file) => relative(shared, file).replaceAll(sep, '-'),
  ];
  // Some file systems take capitals and small letters for the same.
  const found = ways.find(
    (name) => new Set(files.map((file) => name(file).toLowerCase())).size === files.length,
  );
  if (found) return found;
  throw new DialogLensError(
    'invalid_request',
    'Transcripts of these recordings would overwrite each other.',
    {
      field: 'file',
      remedy: 'Name every recording once, or transcribe those with the same name into folders of their own.',
    },
  );
}

function sharedFolder(files: readonly string[]): string {
  const [first = [], ...others] = files.map((file) => dirname(resolve(file)).split(sep));
  const differsAt = first.findIndex((part, i) => others.some((parts) => parts[i] !== part));
  return first.slice(0, differsAt < 0 ? first.length : differsAt).join(sep) || sep;
}

async function mapErrors(what: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    const { code, message } = asError(thrown) as NodeJS.ErrnoException;
    throw new DialogLensError('invalid_request', `${what} (${code ?? message}).`, {
      field: 'out',
      remedy: 'Name a place that exists and that this user may write.',
      cause: thrown,
    });
  }
}
