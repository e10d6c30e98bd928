import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { silentLogger } from '../observability/telemetry.ts';
import { createStore } from '../store/create-store.ts';

const program = fileURLToPath(new URL('../../bin/dialoglens.js', import.meta.url));
let folder: string;
let dataDir: string;
let sessionId: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dialoglens-export-'));
  dataDir = join(folder, 'data');
  const store = createStore({ dataDir: join(dataDir, 'store'), logger: silentLogger });
  await store.start();
  const startedAt = Date.UTC(2026, 0, 31, 9);
  const wanted = { room: 'standup', roomSid: 'RM_1', language: 'en', provider: 'scripted', startedAt };
  sessionId = (await store.record.openSession(wanted)).id;
  await store.stop();
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(...args: string[]): Promise<{ code: number; output: string }> {
  const env = { HOME: folder, PATH: process.env.PATH };
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [program, 'export', ...args], { env });
    return { code: 0, output: stdout };
  } catch (thrown) {
    const { code, stdout, stderr } = thrown as { code: number; stdout: string; stderr: string };
    return { code, output: `${stdout}${stderr}` };
  }
}

it('lists what there is and writes one to a file', { timeout: 60_000 }, async () => {
  expect((await run('--data', dataDir)).output).toMatch(
    new RegExp(`^${sessionId} {2}2026-01-31 09:00 {2}live {3}standup\n$`),
  );
  const out = join(folder, 'standup.txt');
  expect(await run(sessionId, '--data', dataDir, '--out', out)).toEqual({
    code: 0,
    output: `Wrote ${out}\n`,
  });
  expect(await readFile(out, 'utf8')).toContain('Transcript of standup');
  await run(sessionId, '--data', dataDir, '--out', join(folder, 'standup.docx'));
  // A Word document is a ZIP archive.
  expect(await readFile(join(folder, 'standup.docx'), 'latin1')).toMatch(/^PK/);
});

it('names the file that cannot be written and what to do', { timeout: 60_000 }, async () => {
  const out = join(folder, 'no such folder', 'standup.txt');
  const { code, output } = await run(sessionId, '--data', dataDir, '--out', out);
  expect(code).toBe(1);
  expect(output).toContain(`The file ${out} cannot be written (ENOENT).`);
  expect(output).toContain('Name a file in a folder that exists');
  expect(output).not.toMatch(/\bat .*:\d+:\d+/);
});

it('makes no store where there is none', { timeout: 60_000 }, async () => {
  const empty = join(folder, 'empty');
  expect(await run('--data', empty)).toMatchObject({
    code: 0,
    output: expect.stringContaining('No transcripts yet'),
  });
  expect(await run('ses_1', '--data', empty)).toMatchObject({
    code: 1,
    output: expect.stringContaining('There is no session ses_1.'),
  });
  expect(await readdir(folder)).not.toContain('empty');
});
