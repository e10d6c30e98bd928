import type { DemandSettings, LiveEvent, RoomStatus } from '@dialoglens/protocol';

/** The live picture: may be lost at any moment and is rebuilt from the store and from heartbeats. */

export interface AgentStatus {
  agentId: string;
  status: 'ready' | 'draining' | 'refusing';
  /** Why it refuses, when it does. */
  reason: string | null;
  slots: number;
  /** Rooms it holds, from its own view. */
  rooms: string[];
  /** 0..1: share of slots used. */
  load: number;
  region: string | null;
  version: string;
  startedAt: number;
  /** Resident memory, bytes. */
  memoryBytes: number;
  heartbeatAt: number;
}

export interface RoomPicture {
  room: string;
  status: RoomStatus;
  /** One of the dispatcher's reasons, such as `all slots busy`. */
  reason: string;
  agentId: string | null;
  epoch: number | null;
  sessionId: string | null;
  /** 1 is next; null when not queued. */
  queuePosition: number | null;
  since: number;
}

/** The order to serve a room. */
export interface Assignment {
  room: string;
  roomSid: string;
  sessionId: string;
  epoch: number;
  url: string;
  token: string;
  settings: DemandSettings;
}

export type WorkerCommand =
  | { type: 'assign'; assignment: Assignment }
  | { type: 'leave'; room: string; epoch: number; reason: string };

/** What a worker tells the dispatcher about one of its rooms. */
export type WorkerReport =
  | { type: 'joined'; agentId: string; room: string; epoch: number }
  | { type: 'left'; agentId: string; room: string; epoch: number; reason: string; failed: boolean };

export interface AgentMetricsView {
  total: number;
  busy: number;
  available: number;
  /** Mean age of the sessions that run now, milliseconds. */
  avgSessionDuration: number;
}

export interface AgentRegistry {
  start(): Promise<void>;
  stop(): Promise<void>;
  heartbeat(status: AgentStatus): Promise<void>;
  forget(agentId: string): Promise<void>;
  /** Workers heard from within the last `withinMs`. */
  agents(withinMs?: number): Promise<AgentStatus[]>;
  setRoom(picture: RoomPicture): Promise<void>;
  removeRoom(room: string): Promise<void>;
  room(room: string): Promise<RoomPicture | null>;
  rooms(): Promise<RoomPicture[]>;
  getAgentMetrics(): Promise<AgentMetricsView>;
  /** Sends a command to one worker; false when nobody listens. */
  command(agentId: string, command: WorkerCommand): Promise<boolean>;
  onCommand(agentId: string, listener: (command: WorkerCommand) => void): () => void;
  report(report: WorkerReport): Promise<void>;
  onReport(listener: (report: WorkerReport) => void): () => void;
  /** Live events of one room, for viewers. */
  publish(room: string, event: LiveEvent): Promise<void>;
  subscribe(room: string | '*', listener: (event: LiveEvent) => void): () => void;
  /** "Look at this room": a nudge, never a truth. */
  hint(room: string): Promise<void>;
  onHint(listener: (room: string) => void): () => void;
}
