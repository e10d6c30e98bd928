import type { RoomStatus } from '@dialoglens/protocol';
import type { PlacementVerdict } from './policy/placement-policy.ts';
import type { DispatchReason, PlacementReason } from './reasons.ts';
import type { LiveParticipant, ParticipantKind } from './room-directory.ts';

/** Successive polls that must miss a room before it counts as ended: one answer of `ListRooms` may omit a live room. */
export const absencesBeforeEnd = 3;

/** Everything a decision about one room rests on. Gathered by the caller; this module reads no clock and does no I/O. */
export interface RoomView {
  demand: { wanted: boolean; roomSid: string | null } | null;
  /** The room as LiveKit lists it, null when it does not. */
  live: { sid: string } | null;
  /** Successive polls without the room; 0 while it is listed. */
  absentPolls: number;
  people: People;
  lease: LeaseView | null;
  /** SIDs of the incarnations whose sessions have no end yet. */
  openSessionSids: readonly string[];
  /** The worker a policy chose, or why there is none. */
  placement: PlacementVerdict;
  /** True when no more rooms stand before this one in the queue than there are free slots. */
  isItsTurn: boolean;
  /** An agent failed here and the pause before the next attempt is not over. */
  backingOff: boolean;
  /** Nobody can be told anything now, and who is silent cannot be known: whoever holds a room keeps it. */
  registryAway: boolean;
  /** Workers died in it again and again: nobody may try it yet. */
  quarantined: boolean;
  /** Its worker is lost, this room may be why, and it would not be the first time. */
  wouldQuarantine: boolean;
  /** Few enough rooms of the same holder change hands now that this one may begin to. */
  mayHandOver: boolean;
}

export interface LeaseView {
  /** SID of the incarnation it was granted for; null when unknown. */
  sessionSid: string | null;
  /** What watching it tells: it moves, or its holder is gone. */
  tenure: 'renewed' | 'worker lost' | 'lease not renewed';
  /** The holder's heartbeat was heard within the suspicion time. */
  holderAlive: boolean;
  /** The holder said that it is in the room. */
  joined: boolean;
  /** The holder was told to leave: it has time to flush its finals, or that time is over. */
  leaving: 'no' | 'waiting' | 'overdue';
  /** The holder takes no more rooms and wants to hand over those it has. */
  holderDrains: boolean;
  /** How far the successor is that was prepared, null when there is none. `lost`: it will not follow. */
  successor: 'warming' | 'standing by' | 'lost' | null;
}

export interface People {
  humans: number;
  /** At least one human publishes a voice track. */
  audio: boolean;
}

export type Decision =
  | {
      action: 'assign';
      reason: DispatchReason;
      status: RoomStatus;
      agentId: string;
      /** Why that worker. */
      placement: PlacementReason;
      takeover: boolean;
    }
  | { action: 'queue'; reason: DispatchReason; status: RoomStatus }
  /** End what is over; nobody is there to be told. `freesLease` is false when the lease belongs to a newer incarnation. */
  | { action: 'release'; reason: DispatchReason; status: RoomStatus; freesLease: boolean }
  /** Move the room from a holder that drains to a successor, or give that up. */
  | ({ action: 'handover'; reason: DispatchReason; status: RoomStatus } & HandoverStep)
  /** Tell the agent to flush and go; the lease is freed when it says that it went. */
  | { action: 'leave'; reason: DispatchReason; status: RoomStatus }
  | { action: 'none'; reason: DispatchReason; status: RoomStatus };

/**
 * `prepare`: choose the successor and let it warm up; `wait`: it does; `switch`: it hears everything, so tell the holder
 * to hand over; `call off`: give the successor up.
 */
export type HandoverStep =
  | { step: 'prepare'; agentId: string; placement: PlacementReason }
  | { step: 'wait' | 'switch' | 'call off' };

const humanKinds: readonly ParticipantKind[] = ['standard', 'sip', 'connector'];

/** People in a room: callers and browsers, never agents, egress or ingress, whoever they belong to. */
export function countPeople(participants: readonly LiveParticipant[]): People {
  const humans = participants.filter((participant) => humanKinds.includes(participant.kind));
  return { humans: humans.length, audio: humans.some((human) => human.hasAudio) };
}

/**
 * What to do about a room. An agent is sent when the first human publishes a voice: earlier there is nothing to write,
 * and a `room_started` room may stay empty for ever. Once there it stays while a human is in the room, and a room
 * whose worker died is taken over as long as a human is in it, muted or not.
 */
export function decide(view: RoomView): Decision {
  if (view.registryAway && view.lease !== null) {
    const status = view.lease.joined ? 'active' : 'assigned';
    return { action: 'none', reason: 'registry unreachable', status };
  }
  if (view.lease?.leaving === 'waiting') return { action: 'none', reason: 'leaving', status: 'assigned' };
  if (hasEnded(view)) return withdraw(view, 'room ended', 'idle');
  if (view.live === null) return waitForRoom(view);
  if (view.demand?.wanted !== true) return decideUnwanted(view);
  return view.lease === null ? decideFree(view) : decideHeld(view, view.lease);
}

/** True when something is left over from an incarnation that is gone. */
function hasEnded({ live, absentPolls, demand, lease, openSessionSids }: RoomView): boolean {
  if (live === null) {
    if (absentPolls < absencesBeforeEnd) return false;
    return lease !== null || openSessionSids.length > 0 || (demand !== null && isBoundOrRefused(demand));
  }
  const sids = [demand?.roomSid ?? null, lease?.sessionSid ?? null, ...openSessionSids];
  return sids.some((sid) => sid !== null && sid !== live.sid);
}

/** Only a wish to transcribe may wait for a room that is yet to begin. */
function isBoundOrRefused({ wanted, roomSid }: NonNullable<RoomView['demand']>): boolean {
  return roomSid !== null || !wanted;
}

function waitForRoom({ demand, lease }: RoomView): Decision {
  if (lease !== null) {
    return { action: 'none', reason: 'room not seen', status: lease.joined ? 'active' : 'assigned' };
  }
  if (demand === null) return { action: 'none', reason: 'not transcribed', status: 'idle' };
  if (!demand.wanted) return { action: 'none', reason: 'stopped', status: 'stopped' };
  if (demand.roomSid === null) return { action: 'none', reason: 'room has not started', status: 'armed' };
  return { action: 'none', reason: 'room not seen', status: 'idle' };
}

function decideUnwanted(view: RoomView): Decision {
  const stopped = view.demand !== null;
  const reason = stopped ? 'stopped' : 'not transcribed';
  const status = stopped ? 'stopped' : 'idle';
  if (view.lease !== null || view.openSessionSids.length > 0) return withdraw(view, reason, status);
  return { action: 'none', reason, status };
}

function withdraw({ live, lease }: RoomView, reason: DispatchReason, status: RoomStatus): Decision {
  const spared = reason === 'room ended' && live !== null && lease?.sessionSid === live.sid;
  if (spared) return { action: 'release', reason, status, freesLease: false };
  const somebodyThere = lease?.holderAlive === true && lease.leaving === 'no';
  if (somebodyThere) return { action: 'leave', reason, status };
  return { action: 'release', reason, status, freesLease: lease !== null };
}

function decideHeld(view: RoomView, lease: LeaseView): Decision {
  if (lease.leaving === 'overdue')
    return { action: 'release', reason: 'leaving', status: 'queued', freesLease: true };
  if (lease.tenure === 'renewed') return decideServed(view, lease);
  if (view.people.humans === 0) {
    return { action: 'release', reason: 'nobody in the room', status: 'idle', freesLease: true };
  }
  if (lease.tenure === 'worker lost' && view.wouldQuarantine) {
    return { action: 'release', reason: 'quarantined', status: 'queued', freesLease: true };
  }
  return place(view, lease.tenure, true);
}

function decideServed(view: RoomView, lease: LeaseView): Decision {
  if (!lease.joined) return { action: 'none', reason: 'joining', status: 'assigned' };
  if (lease.holderDrains) return decideHandover(view, lease);
  if (lease.successor === null) return { action: 'none', reason: 'active', status: 'active' };
  return { action: 'handover', step: 'call off', reason: 'active', status: 'active' };
}

/** Whatever happens here, the holder serves the room until a successor that hears everything takes it. */
function decideHandover(view: RoomView, { successor }: LeaseView): Decision {
  const { placement, isItsTurn, mayHandOver } = view;
  const handover = { action: 'handover', reason: 'handing over', status: 'active' } as const;
  if (successor === 'warming') return { ...handover, step: 'wait' };
  if (successor === 'standing by') return { ...handover, step: 'switch' };
  if (placement.agentId === null || !isItsTurn) {
    const isRefused = placement.agentId === null && placement.reason === 'worker version';
    const reason = isRefused ? 'worker version' : 'no other worker has a slot';
    if (successor === 'lost') return { ...handover, step: 'call off', reason };
    return { action: 'none', reason, status: 'active' };
  }
  if (!mayHandOver) return { action: 'none', reason: 'handover waits', status: 'active' };
  return { ...handover, step: 'prepare', agentId: placement.agentId, placement: placement.reason };
}

function decideFree(view: RoomView): Decision {
  if (view.people.humans === 0) return { action: 'none', reason: 'nobody in the room', status: 'idle' };
  if (!view.people.audio) return { action: 'none', reason: 'no audio yet', status: 'idle' };
  if (view.quarantined) return { action: 'queue', reason: 'quarantined', status: 'queued' };
  if (view.backingOff) return { action: 'queue', reason: 'agent failed', status: 'queued' };
  return place(view, 'agent free', false);
}

function place({ placement, isItsTurn }: RoomView, reason: DispatchReason, takeover: boolean): Decision {
  if (placement.agentId === null) return { action: 'queue', reason: placement.reason, status: 'queued' };
  if (!isItsTurn) return { action: 'queue', reason: 'all slots busy', status: 'queued' };
  const { agentId, reason: why } = placement;
  return { action: 'assign', reason, status: 'assigned', agentId, placement: why, takeover };
}
