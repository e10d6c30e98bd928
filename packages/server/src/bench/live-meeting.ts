import { playMeeting } from '../app/play-meeting.ts';
import { loadSampleMeeting, type MeetingLine, type SampleMeeting } from '../app/sample-meeting.ts';
import type { HeardCaption } from '../livekit/speaker.ts';
import type { LiveStack } from '../testing/live-stack.ts';
import { erasure, wordErrors } from '../transcript/word-error-rate.ts';
import { type Figure, percentile } from './figures.ts';

const room = 'bench-meeting';
const agentWithinMs = 30_000;

/** The sample meeting in a real room: how soon words are shown, how soon they are final, how right they are. */
export async function measureLiveMeeting(stack: LiveStack): Promise<Figure[]> {
  const meeting = await loadSampleMeeting();
  const captions: HeardCaption[] = [];
  const viewer = await stack.join(room, 'viewer', (caption) => captions.push(caption));
  const { url, ...keys } = stack.livekit;
  let beganMs = 0;
  const ready = async () => {
    await untilActive(stack);
    beganMs = performance.now();
  };
  await playMeeting({ meeting, url, keys, room, signal: new AbortController().signal, ready });
  await viewer.leave();
  return summarise(meeting, captions, beganMs);
}

async function untilActive({ app }: LiveStack): Promise<void> {
  const until = performance.now() + agentWithinMs;
  while ((await app.registry.room(room))?.status !== 'active') {
    if (performance.now() > until) throw new Error('no agent came into the room');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function summarise(meeting: SampleMeeting, captions: HeardCaption[], beganMs: number): Figure[] {
  const partials: number[] = [];
  const finals: number[] = [];
  for (const line of meeting.lines) {
    const spoken = captions.filter((caption) => caption.sender === line.speaker);
    const first = spoken.find((caption) => caption.arrivedMs > beganMs + line.startMs && !isFinal(caption));
    if (first) partials.push(first.arrivedMs - beganMs - line.startMs);
    const last = spoken.find((caption) => caption.arrivedMs > beganMs + line.endMs && isFinal(caption));
    if (last) finals.push(last.arrivedMs - beganMs - line.endMs);
  }
  const rate = wordErrors(text(meeting.lines), bySpeaker(meeting, captions)).rate;
  return [
    ['first partial after a line begins, p50', `${percentile(partials, 50)} ms`, '≤ 700 ms'],
    ['final after a line ends, p50', `${percentile(finals, 50)} ms`, '≤ 1200 ms'],
    ['final after a line ends, p95', `${percentile(finals, 95)} ms`, '≤ 2000 ms'],
    ['normalised erasure of partials', meanErasure(captions).toFixed(2), '≤ 0.2'],
    ['word error rate', `${(rate * 100).toFixed(1)} %`, ''],
  ];
}

/** In the order of the script: speaker by speaker, so that overlaps do not count as errors. */
function text(lines: readonly MeetingLine[]): string {
  const ordered = [...lines].sort((a, b) => a.speaker.localeCompare(b.speaker) || a.startMs - b.startMs);
  return ordered.map((line) => line.text).join(' ');
}

function bySpeaker(meeting: SampleMeeting, captions: HeardCaption[]): string {
  const speakers = meeting.speakers.map((speaker) => speaker.identity).sort((a, b) => a.localeCompare(b));
  const finals = captions.filter(isFinal);
  return speakers
    .flatMap((speaker) => finals.filter((caption) => caption.sender === speaker))
    .map((caption) => caption.text)
    .join(' ');
}

function meanErasure(captions: HeardCaption[]): number {
  const rows = new Map<string, string[]>();
  for (const { text: shown, attributes } of captions) {
    const id = attributes['lk.segment_id'] ?? '';
    rows.set(id, [...(rows.get(id) ?? []), shown]);
  }
  // Finals come from a larger model; only what partials took back from partials is erasure.
  const values = [...rows.values()].map((row) => row.slice(0, -1)).filter((row) => row.length > 0);
  return values.reduce((sum, row) => sum + erasure(row), 0) / Math.max(1, values.length);
}

function isFinal(caption: HeardCaption): boolean {
  return caption.attributes['lk.transcription_final'] === 'true';
}
