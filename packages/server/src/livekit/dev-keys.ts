import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { LiveKitKeys } from './tokens.ts';

const keysSchema = z.object({ apiKey: z.string().min(1), apiSecret: z.string().min(32) });

/**
 * The key pair of this machine's own livekit-server, made at random once and kept in `folder`, so that tokens printed
 * before a restart still work after it.
 */
export async function ensureDevKeys(folder: string): Promise<LiveKitKeys> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'keys.json');
  const kept = await readKeys(file);
  if (kept) return kept;
  const keys = { apiKey: `API${randomBytes(6).toString('hex')}`, apiSecret: randomBytes(32).toString('hex') };
  await writeFile(file, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600 });
  return keys;
}

/** Null when there are none, or when the file holds something else: new keys are as good. */
async function readKeys(file: string): Promise<LiveKitKeys | null> {
  try {
    return keysSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (thrown) {
    const isMissing = thrown instanceof Error && Reflect.get(thrown, 'code') === 'ENOENT';
    if (isMissing || thrown instanceof SyntaxError || thrown instanceof z.ZodError) return null;
    throw thrown;
  }
}
