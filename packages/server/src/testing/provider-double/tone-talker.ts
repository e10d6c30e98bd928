import type { HeardCaption, Speaker } from '../../livekit/speaker.ts';
import type { LiveStack } from '../live-stack.ts';
import { type ToneTalk, toneTalk } from './tone-hearing.ts';

/** Somebody in a room with an open microphone and something to say, and the captions of it as they arrive there. */
export interface ToneTalker {
  identity: string;
  room: string;
  speaker: Speaker;
  talk: ToneTalk;
  captions: HeardCaption[];
}

/** The `index`-th of those who talk at once joins: each says other words at the same time. */
export async function joinTalker(
  stack: LiveStack,
  room: string,
  index: number,
  about: { sentences: number; wordsEach: number; pauseMs: number },
): Promise<ToneTalker> {
  const identity = `talker-${index}`;
  const captions: HeardCaption[] = [];
  const speaker = await stack.join(room, identity, (caption) => {
    if (caption.sender === identity) captions.push(caption);
  });
  await speaker.publish();
  return { identity, room, speaker, talk: toneTalk({ ...about, from: index * 17 }), captions };
}
