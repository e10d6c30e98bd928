import { type LocalParticipant, type Room, RoomEvent } from '@livekit/rtc-node';
import { DialogLensError } from '../errors.ts';

/** The library waits five seconds for the answer to its request; what was taken shows within milliseconds. */
const shownWithinMs = 6_000;

/**
 * Sets attributes of our own participant; resolves when the room shows them. An empty one is taken away.
 *
 * The answer of the library tells little: rtc-node 1.1 passes over a refusal, and about one answer in fifty is missed by
 * the library below it when the machine is busy, which then takes five seconds to say so. What the server tells everybody
 * about us comes by another way.
 * @throws DialogLensError `livekit_unreachable` when they do not show
 */
export async function setOwnAttributes(
  room: Room,
  local: LocalParticipant,
  attributes: Record<string, string>,
): Promise<void> {
  const isShown = () =>
    Object.entries(attributes).every(([key, value]) => (local.attributes[key] ?? '') === value);
  await new Promise<void>((resolve, reject) => {
    const end = (settle: () => void) => {
      clearTimeout(timer);
      room.off(RoomEvent.ParticipantAttributesChanged, look);
      settle();
    };
    const look = () => {
      if (isShown()) end(resolve);
    };
    const timer = setTimeout(() => end(() => reject(notShown())), shownWithinMs);
    room.on(RoomEvent.ParticipantAttributesChanged, look);
    // Nothing changes, and nobody is told, when they were set already.
    local.setAttributes(attributes).then(look, (thrown: unknown) => end(() => reject(thrown)));
  });
}

function notShown(): DialogLensError {
  return new DialogLensError('livekit_unreachable', 'LiveKit does not show the attributes of the agent.', {
    remedy: 'Look at the log of LiveKit; the token allows an agent to change its own attributes.',
  });
}
