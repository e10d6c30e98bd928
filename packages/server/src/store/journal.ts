import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { DialogLensError } from '../errors.ts';
import { toFolderError } from './folder-lock.ts';
import { makeFolder } from './make-folder.ts';
import type { StoredSegment, StoredSpan, Tenure } from './store.ts';

/** What waits to be written. */
export interface WriteBatch {
  tenure: Tenure;
  finals: StoredSegment[];
  spans: StoredSpan[];
}

/** Keeps batches on disk while the store is away. */
export interface Journal {
  /** Resolves when the batch is on the disk. Throws `store_full` when the journal or the disk is full. */
  append(batch: WriteBatch): Promise<void>;
  /**
   * Hands every batch to `handler`, oldest first, and forgets each after the handler took it. When the handler throws,
   * that batch and all after it stay, and the error is passed on. A crash may hand a batch out twice. Batches may be
   * appended meanwhile; they are handed out in the same run. Concurrent calls share one run. Returns how many were taken.
   */
  drain(handler: (batch: WriteBatch) => Promise<void>): Promise<number>;
  /** Bytes that wait. */
  readonly size: number;
  /** Bytes at the end of the file that were no whole record when it was opened; they were cut off. */
  readonly tornBytes: number;
  /** Idempotent; waits for what is running. */
  close(): Promise<void>;
}

/** A record is the length of its body and the CRC-32 of its body, both 32 bits little-endian, then the body as JSON. */
const headerBytes = 8;

/** Opens or creates the journal at `path`. It never grows over `maxBytes`. One process at a time. */
export async function openJournal(path: string, options: { maxBytes: number }): Promise<Journal> {
  try {
    await makeFolder(dirname(path));
    const file = await open(path, 'a+').then(async (created) => {
      await created.close();
      return open(path, 'r+');
    });
    const { size } = await file.stat();
    const end = await endOfRecords(file, size);
    await file.truncate(end);
    return new FileJournal(path, file, end, size - end, options.maxBytes);
  } catch (thrown) {
    throw toFolderError(thrown, path);
  }
}

class FileJournal implements Journal {
  readonly tornBytes: number;
  readonly #path: string;
  readonly #maxBytes: number;
  #file: FileHandle;
  /** Records between these two wait. */
  #head = 0;
  #tail: number;
  /** The last of the file operations, which run one after the other. */
  #last: Promise<unknown> = Promise.resolve();
  #draining: Promise<number> | null = null;
  #closed = false;

  constructor(path: string, file: FileHandle, tail: number, tornBytes: number, maxBytes: number) {
    this.#path = path;
    this.#file = file;
    this.#tail = tail;
    this.tornBytes = tornBytes;
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#tail - this.#head;
  }

  append(batch: WriteBatch): Promise<void> {
    if (this.#closed) return Promise.reject(closedError());
    const record = encode(batch);
    return this.#inTurn(() => this.#append(record));
  }

  drain(handler: (batch: WriteBatch) => Promise<void>): Promise<number> {
    if (this.#closed) return Promise.reject(closedError());
    this.#draining ??= this.#drain(handler).finally(() => {
      this.#draining = null;
    });
    return this.#draining;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled([this.#draining]);
    await this.#inTurn(async () => {
      await this.#compact();
      await this.#file.close();
    });
  }

  async #append(record: Buffer): Promise<void> {
    if (this.#tail + record.length > this.#maxBytes) await this.#compact();
    if (this.#tail + record.length > this.#maxBytes) {
      throw new DialogLensError('store_full', `The journal ${this.#path} is full.`, {
        field: this.#path,
        remedy: 'Bring the database back, so that what waits can be written.',
      });
    }
    try {
      await writeAll(this.#file, record, this.#tail);
      await this.#file.datasync();
    } catch (thrown) {
      // Half a record must not stand before the next one. Should this fail too, opening cuts it off.
      await this.#file.truncate(this.#tail);
      throw toFolderError(thrown, this.#path);
    }
    this.#tail += record.length;
  }

  async #drain(handler: (batch: WriteBatch) => Promise<void>): Promise<number> {
    let taken = 0;
    try {
      while (!this.#closed) {
        const record = await this.#inTurn(() => readRecord(this.#file, this.#head, this.#tail));
        if (!record) {
          if (this.size === 0) break;
          throw damagedError(this.#path);
        }
        await handler(decode(record.body));
        taken += 1;
        // The place is moved relative to the head, which compacting sets back to 0.
        await this.#inTurn(async () => {
          this.#head += record.length;
        });
      }
      return taken;
    } finally {
      await this.#inTurn(() => this.#compact());
    }
  }

  /** Gives the space of what was taken back to the disk. */
  async #compact(): Promise<void> {
    if (this.#head === 0) return;
    if (this.#head === this.#tail) {
      await this.#file.truncate(0);
    } else {
      await this.#moveTail();
    }
    this.#tail -= this.#head;
    this.#head = 0;
  }

  async #moveTail(): Promise<void> {
    const draft = `${this.#path}.new`;
    const copy = await open(draft, 'w+');
    try {
      const waiting = Buffer.alloc(this.size);
      await readAll(this.#file, waiting, this.#head);
      await writeAll(copy, waiting, 0);
      await copy.datasync();
      await rename(draft, this.#path);
    } catch (thrown) {
      await copy.close();
      await rm(draft, { force: true });
      throw toFolderError(thrown, this.#path);
    }
    const old = this.#file;
    this.#file = copy;
    await old.close();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work, work);
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}

function closedError(): DialogLensError {
  return new DialogLensError('shutting_down', 'The journal is closed.');
}

/** It was whole when the journal was opened, so the disk itself has changed it. */
function damagedError(path: string): DialogLensError {
  return new DialogLensError('internal', `The journal ${path} was damaged while it was in use.`, {
    field: path,
    remedy: 'Look at the disk, then start this process again: it keeps what stands before the damage.',
  });
}

function encode(batch: WriteBatch): Buffer {
  const body = Buffer.from(JSON.stringify(batch), 'utf8');
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32LE(body.length, 0);
  header.writeUInt32LE(crc32(body), 4);
  return Buffer.concat([header, body]);
}

/** The checksum has vouched for the body, and only `encode` writes bodies. */
function decode(body: Buffer): WriteBatch {
  const batch: WriteBatch = JSON.parse(body.toString('utf8'));
  return batch;
}

/** The record at `from`, or null when no whole and undamaged one stands there. */
async function readRecord(
  file: FileHandle,
  from: number,
  end: number,
): Promise<{ body: Buffer; length: number } | null> {
  if (from + headerBytes > end) return null;
  const header = Buffer.alloc(headerBytes);
  await readAll(file, header, from);
  const length = headerBytes + header.readUInt32LE(0);
  if (from + length > end) return null;
  const body = Buffer.alloc(length - headerBytes);
  await readAll(file, body, from + headerBytes);
  return crc32(body) === header.readUInt32LE(4) ? { body, length } : null;
}

async function endOfRecords(file: FileHandle, size: number): Promise<number> {
  let at = 0;
  for (;;) {
    const record = await readRecord(file, at, size);
    // A length of zero is what a crash leaves of a block that was reserved and never written.
    if (!record || record.body.length === 0) return at;
    at += record.length;
  }
}

async function readAll(file: FileHandle, into: Buffer, from: number): Promise<void> {
  let done = 0;
  while (done < into.length) {
    const { bytesRead } = await file.read(into, done, into.length - done, from + done);
    if (bytesRead === 0) throw new Error('the journal is shorter than it was');
    done += bytesRead;
  }
}

async function writeAll(file: FileHandle, bytes: Buffer, at: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done);
    done += bytesWritten;
  }
}
