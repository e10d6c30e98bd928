/** The port through which the dispatcher sees and touches LiveKit. Implemented in `livekit/`, faked in `testing/`. */

export interface LiveRoom {
  name: string;
  sid: string;
  metadata: string;
  /** Participants of every kind. */
  participants: number;
  createdAtMs: number;
}

export type ParticipantKind = 'standard' | 'ingress' | 'egress' | 'sip' | 'agent' | 'connector' | 'unknown';

export interface LiveParticipant {
  identity: string;
  name: string;
  kind: ParticipantKind;
  attributes: Record<string, string>;
  /** True when at least one microphone track is published. */
  hasAudio: boolean;
}

export interface RoomDirectory {
  /** All rooms, or those with these names. @throws DialogLensError `livekit_*` */
  listRooms(names?: string[]): Promise<LiveRoom[]>;
  listParticipants(room: string): Promise<LiveParticipant[]>;
  /** Replaces the room's metadata. Returns false when there is no such room. */
  updateMetadata(room: string, metadata: string): Promise<boolean>;
  /** Returns false when there was no such participant. */
  removeParticipant(room: string, identity: string): Promise<boolean>;
  /** A join token for the agent that holds `epoch` of the room (2 minutes). */
  mintAgentToken(grant: { room: string; workerId: string; epoch: number }): Promise<string>;
}

/** The identity under which an agent of ours is in a room. */
export function agentIdentity(workerId: string, epoch: number): string {
  return `agent-${workerId}-${epoch}`;
}
/** Name of every agent of ours. */
export const agentName = 'Transcription Agent';
/** Metadata of every agent of ours. */
export const agentMetadata = '{"type":"transcription-agent"}';
/** Attribute that carries the epoch. */
export const epochAttribute = 'dialoglens.epoch';
/** Attribute that carries the epoch to come of an agent that stands by; empty once it serves the room. */
export const standbyAttribute = 'dialoglens.standby';
