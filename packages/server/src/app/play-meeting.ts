import { Speaker } from '../livekit/speaker.ts';
import { type LiveKitKeys, mintUserToken } from '../livekit/tokens.ts';
import { renderSpeaker, type SampleMeeting } from './sample-meeting.ts';

export interface PlayOptions {
  meeting: SampleMeeting;
  url: string;
  keys: LiveKitKeys;
  room: string;
  signal: AbortSignal;
  /** Resolves when somebody listens: the meeting begins then, so that its first words are heard. */
  ready: () => Promise<void>;
}

/** Open microphones stay in the room this long after the last word, so that its final arrives. */
const lingerMs = 3_000;
const tokenSeconds = 3_600;

/** Plays the sample meeting into a room: one participant per speaker, in real time. Leaves when it is over. */
export async function playMeeting(options: PlayOptions): Promise<void> {
  const { meeting, url, keys, room, signal } = options;
  const speakers: Speaker[] = [];
  try {
    for (const { identity, name } of meeting.speakers) {
      const token = await mintUserToken(keys, { room, identity, name, ttlSeconds: tokenSeconds });
      const speaker = await Speaker.join({ url, token, identity });
      speakers.push(speaker);
      await speaker.publish();
    }
    await options.ready();
    await Promise.all(
      speakers.map(async (speaker) => {
        await speaker.play(renderSpeaker(meeting, speaker.identity), signal);
        await speaker.silence(lingerMs, signal);
      }),
    );
  } finally {
    await Promise.allSettled(speakers.map((speaker) => speaker.leave()));
  }
}
