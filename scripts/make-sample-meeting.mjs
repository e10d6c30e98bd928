/**
 * Speaks `packages/server/assets/sample-meeting/script.json` with flite and measures it: one 16 kHz WAV per line and
 * `meeting.json` with the times. Needs Debian's `flite` and `sox`. A line begins `afterMs` after the end of the line
 * before; a negative value makes the two overlap.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = join(
  dirname(dirname(fileURLToPath(import.meta.url))),
  'packages/server/assets/sample-meeting',
);
const lines = join(folder, 'lines');
const script = JSON.parse(readFileSync(join(folder, 'script.json'), 'utf8'));
const work = mkdtempSync(join(tmpdir(), 'dialoglens-meeting-'));

rmSync(lines, { recursive: true, force: true });
mkdirSync(lines);
let clockMs = 0;
const measured = script.lines.map((line, index) => {
  const file = `${String(index + 1).padStart(2, '0')}-${line.speaker}.wav`;
  const { voice } = script.speakers.find((speaker) => speaker.identity === line.speaker);
  speak(voice, line.text, join(lines, file));
  const startMs = clockMs + line.afterMs;
  // 44 bytes of header, then 32 bytes a millisecond.
  const endMs = Math.round(startMs + (statSync(join(lines, file)).size - 44) / 32);
  clockMs = Math.max(clockMs, endMs);
  return { speaker: line.speaker, file, startMs, endMs, text: line.text };
});
const speakers = script.speakers.map(({ identity, name }) => ({ identity, name }));
const meeting = { title: script.title, sampleRate: 16_000, durationMs: clockMs, speakers, lines: measured };
writeFileSync(join(folder, 'meeting.json'), `${JSON.stringify(meeting, null, 2)}\n`);
rmSync(work, { recursive: true, force: true });
console.log(`${measured.length} lines, ${(clockMs / 1000).toFixed(1)} s`);

function speak(voice, text, file) {
  const raw = join(work, 'raw.wav');
  execFileSync('flite', ['-voice', voice, '-t', text, '-o', raw]);
  // Silence at both ends goes, the level is the same for all voices, and no dither makes every run the same.
  const trim = ['silence', '1', '0.01', '0.1%', 'reverse', 'silence', '1', '0.01', '0.1%', 'reverse'];
  execFileSync('sox', ['-D', raw, '-r', '16000', '-c', '1', '-b', '16', file, ...trim, 'norm', '-3']);
}
