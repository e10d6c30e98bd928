import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { readWav } from '../audio/wav.ts';

const samplesPerMs = 16;
/** The same path from `src/app` and from `dist/app`. */
const folder = new URL('../../assets/sample-meeting/', import.meta.url);

const meetingSchema = z.object({
  title: z.string(),
  sampleRate: z.literal(16_000),
  durationMs: z.number(),
  speakers: z.array(z.object({ identity: z.string(), name: z.string() })),
  lines: z.array(
    z.object({
      speaker: z.string(),
      file: z.string(),
      startMs: z.number(),
      endMs: z.number(),
      text: z.string(),
    }),
  ),
});

/** One line of the script as it was spoken: 16 kHz mono PCM. */
export interface MeetingLine {
  speaker: string;
  startMs: number;
  endMs: number;
  text: string;
  pcm: Int16Array;
}

/** The sample meeting: who speaks, when, which words. The text is the reference for measurements. */
export interface SampleMeeting {
  title: string;
  durationMs: number;
  speakers: { identity: string; name: string }[];
  lines: MeetingLine[];
}

/** Reads the meeting that comes with the package. */
export async function loadSampleMeeting(): Promise<SampleMeeting> {
  const text = await readFile(new URL('meeting.json', folder), 'utf8');
  const { title, durationMs, speakers, lines } = meetingSchema.parse(JSON.parse(text));
  const loaded = lines.map(async ({ file, ...line }) => {
    const wav = await readFile(fileURLToPath(new URL(`lines/${file}`, folder)));
    return { ...line, pcm: readWav(wav).pcm };
  });
  return { title, durationMs, speakers, lines: await Promise.all(loaded) };
}

/** What one speaker says on the timeline of the meeting, silence included. */
export function renderSpeaker(meeting: SampleMeeting, identity: string): Int16Array {
  const pcm = new Int16Array(Math.round(meeting.durationMs * samplesPerMs));
  for (const line of meeting.lines) {
    if (line.speaker === identity)
      pcm.set(line.pcm.subarray(0, pcm.length - line.startMs * samplesPerMs), line.startMs * samplesPerMs);
  }
  return pcm;
}
