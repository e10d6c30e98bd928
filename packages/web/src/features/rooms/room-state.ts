import type { RoomView } from '@dialoglens/protocol';
import { ordinal } from '../../lib/format.ts';
import { strings } from '../../strings.ts';

/** `good`: captions flow; `wait`: something is to come first; `bad`: something is wrong; `idle`: nothing is going on. */
export type Tone = 'good' | 'wait' | 'bad' | 'idle';

/** Reasons that somebody has to do something about. */
const troubles: ReadonlySet<string> = new Set([
  'no agents',
  'no agent ready',
  'worker version',
  'agent failed',
  'quarantined',
  'worker lost',
  'lease not renewed',
  'livekit unreachable',
  'registry unreachable',
]);

/**
 * How a room stands, from what the dispatcher reports and not from what was asked for.
 * @param slots of all workers together, where that is known
 */
export function roomState(
  { status, reason, queuePosition }: Pick<RoomView, 'status' | 'reason' | 'queuePosition'>,
  slots = 0,
): { tone: Tone; text: string } {
  const isCounted = reason === 'all slots busy' && slots > 0;
  const why = isCounted ? strings.status.allBusy(slots) : (strings.status.reasons[reason] ?? reason);
  const isTrouble = troubles.has(reason);
  if (status === 'queued') {
    const text =
      queuePosition === null
        ? strings.status.queuedOnly(why)
        : strings.status.queued(ordinal(queuePosition), why);
    return { tone: isTrouble ? 'bad' : 'wait', text };
  }
  if (status === 'assigned' && !isTrouble) return { tone: 'wait', text: strings.status.joining };
  const tones = { active: 'good', armed: 'wait', assigned: 'wait', idle: 'wait', stopped: 'idle' } as const;
  return { tone: isTrouble ? 'bad' : tones[status], text: capitalised(why) };
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Rooms that are heard first, then those that wait, then the rest; by name among themselves. */
export function inReadingOrder(rooms: readonly RoomView[]): RoomView[] {
  const rank = { active: 0, assigned: 1, queued: 2, armed: 3, idle: 4, stopped: 5 } as const;
  const byQueue = (a: RoomView, b: RoomView) => (a.queuePosition ?? 0) - (b.queuePosition ?? 0);
  return [...rooms].sort(
    (a, b) => rank[a.status] - rank[b.status] || byQueue(a, b) || a.room.localeCompare(b.room),
  );
}
