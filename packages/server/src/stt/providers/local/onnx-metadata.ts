import { closeSync, openSync, readSync, statSync } from 'node:fs';

/**
 * Reads the key-value pairs that an exporter left in an ONNX file (`metadata_props`), without loading the model: the file
 * is a protobuf message, and everything else in it is stepped over.
 * @returns null when the file is not an ONNX model
 */
export function readOnnxMetadata(path: string): ReadonlyMap<string, string> | null {
  const file = openSync(path, 'r');
  try {
    return read(new FileWindow(file, statSync(path).size));
  } finally {
    closeSync(file);
  }
}

/** Field numbers of `ModelProto` and of `StringStringEntryProto`. */
const irVersionField = 1;
const graphField = 7;
const metadataField = 14;
const keyField = 1;
const valueField = 2;
/** Longer values than these are not metadata anybody reads. */
const maxEntryBytes = 1_000_000;

function read(file: FileWindow): ReadonlyMap<string, string> | null {
  const pairs = new Map<string, string>();
  const seen = new Set<number>();
  let at = 0;
  while (at < file.size) {
    const field = fieldAt(file, at);
    if (field === null || field.end > file.size) return null;
    seen.add(field.number);
    if (field.number === metadataField && field.end - field.start <= maxEntryBytes) {
      const [key, value] = entry(file.bytes(field.start, field.end));
      if (key !== undefined) pairs.set(key, value ?? '');
    }
    at = field.end;
  }
  return seen.has(irVersionField) && seen.has(graphField) ? pairs : null;
}

function entry(bytes: Uint8Array): [key?: string | undefined, value?: string | undefined] {
  const window = new BytesWindow(bytes);
  const texts: { [number: number]: string } = {};
  for (let at = 0; at < bytes.length; ) {
    const field = fieldAt(window, at);
    if (field === null || field.end > bytes.length) return [];
    texts[field.number] = Buffer.from(bytes.subarray(field.start, field.end)).toString('utf8');
    at = field.end;
  }
  return [texts[keyField], texts[valueField]];
}

interface Window {
  byte(at: number): number | undefined;
}

/** A protobuf field: its number and where its content lies; null when there is none. */
function fieldAt(window: Window, at: number): { number: number; start: number; end: number } | null {
  const tag = varintAt(window, at);
  if (tag === null) return null;
  const number = Math.floor(tag.value / 8);
  const start = tag.end;
  if (number === 0) return null;
  switch (tag.value % 8) {
    case 0: {
      const value = varintAt(window, start);
      return value && { number, start, end: value.end };
    }
    case 1:
      return { number, start, end: start + 8 };
    case 2: {
      const length = varintAt(window, start);
      return length && { number, start: length.end, end: length.end + length.value };
    }
    case 5:
      return { number, start, end: start + 4 };
    default:
      return null;
  }
}

/** Exact up to 2^53, which no file reaches. */
function varintAt(window: Window, at: number): { value: number; end: number } | null {
  let value = 0;
  for (let i = 0; i < 10; i++) {
    const byte = window.byte(at + i);
    if (byte === undefined) return null;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, end: at + i + 1 };
  }
  return null;
}

class BytesWindow implements Window {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  byte(at: number): number | undefined {
    return this.#bytes[at];
  }
}

/** A file of which a page at a time is in memory: models are hundreds of megabytes. */
class FileWindow implements Window {
  readonly size: number;
  readonly #file: number;
  #page = Buffer.alloc(0);
  #pageStart = 0;

  constructor(file: number, size: number) {
    this.#file = file;
    this.size = size;
  }

  byte(at: number): number | undefined {
    if (at >= this.size) return undefined;
    if (at < this.#pageStart || at >= this.#pageStart + this.#page.length) {
      this.#page = this.bytes(at, Math.min(this.size, at + 4_096));
      this.#pageStart = at;
    }
    return this.#page[at - this.#pageStart];
  }

  bytes(start: number, end: number): Buffer<ArrayBuffer> {
    const bytes = Buffer.alloc(end - start);
    const length = readSync(this.#file, bytes, 0, bytes.length, start);
    return bytes.subarray(0, length);
  }
}
