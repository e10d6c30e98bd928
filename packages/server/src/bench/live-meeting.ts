import { playMeeting } from '../app/play-meeting.ts';
import { loadSampleMeeting, type MeetingLine, type SampleMeeting } from '../app/sample-meeting.ts';
import type { HeardCaption } from '../livekit/speaker.ts';
import { wordErrors } from '../transcript/word-error-rate.ts';
import type { BenchStack } from './bench-stack.ts';
import { type Figure, percentile } from './figures.ts';
import { erasureOfPartials, isFinal, latenciesOf } from './heard.ts';

const room = 'bench-meeting';

/** The sample meeting in a real room: how soon words are shown, how soon they are final, how right they are. */
export async function measureLiveMeeting(stack: BenchStack): Promise<Figure[]> {
  const meeting = await loadSampleMeeting();
  const captions: HeardCaption[] = [];
  const viewer = await stack.join(room, 'viewer', (caption) => captions.push(caption));
  const { url, ...keys } = stack.livekit;
  let beganMs = 0;
  const ready = async () => {
    await stack.untilActive(room);
    beganMs = performance.now();
  };
  await playMeeting({ meeting, url, keys, room, signal: new AbortController().signal, ready });
  await viewer.leave();
  return summarise(meeting, captions, beganMs);
}

function summarise(meeting: SampleMeeting, captions: HeardCaption[], beganMs: number): Figure[] {
  const rows = meeting.speakers.map(({ identity }) =>
    latenciesOf(
      meeting.lines.filter((line) => line.speaker === identity),
      captions.filter((caption) => caption.sender === identity),
      beganMs,
    ),
  );
  const partials = rows.flatMap((row) => row.first);
  const finals = rows.flatMap((row) => row.final);
  const rate = wordErrors(text(meeting.lines), bySpeaker(meeting, captions)).rate;
  return [
    ['first partial after a line begins, p50', `${percentile(partials, 50)} ms`, '≤ 700 ms'],
    ['final after a line ends, p50', `${percentile(finals, 50)} ms`, '≤ 1200 ms'],
    ['final after a line ends, p95', `${percentile(finals, 95)} ms`, '≤ 2000 ms'],
    ['normalised erasure of partials', erasureOfPartials(captions).toFixed(2), '≤ 0.2'],
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
