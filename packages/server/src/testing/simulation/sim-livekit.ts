import {
  agentName,
  epochAttribute,
  type LiveParticipant,
  type LiveRoom,
  type RoomDirectory,
} from '../../dispatch/room-directory.ts';
import type { SimProcess } from './sim-process.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What an agent in a room hears. */
export interface SimListener {
  process: SimProcess;
  heard(word: number): void;
  epochSeen(epoch: number): void;
  humansChanged(count: number): void;
  disconnected(reason: string): void;
}

interface SimRoom {
  name: string;
  sid: string;
  metadata: string;
  participants: Map<string, LiveParticipant>;
  listeners: Map<string, SimListener>;
}

/** An agent that was killed is listed for this long. */
const ghostMs = 15_000;
/** How long it takes until others see what somebody did. */
const spreadMs = 5;

/** A LiveKit in which people say numbers, and in which agents hear them. */
export class SimLiveKit implements RoomDirectory {
  readonly #time: VirtualTime;
  readonly #reaches: (process: SimProcess) => boolean;
  readonly #rooms = new Map<string, SimRoom>();
  /** The last word that was said; numbers go on from one incarnation of a room to the next. */
  readonly #words = new Map<string, number>();
  #lastSid = 0;

  constructor(time: VirtualTime, reaches: (process: SimProcess) => boolean) {
    this.#time = time;
    this.#reaches = reaches;
  }

  get names(): string[] {
    return [...this.#rooms.keys()];
  }

  room(name: string): Readonly<Omit<SimRoom, 'listeners'>> | undefined {
    return this.#rooms.get(name);
  }

  word(room: string): number {
    return this.#words.get(room) ?? 0;
  }

  /** Opens a room, or a new incarnation of it. */
  open(name: string, metadata: string): void {
    this.close(name, 'room-deleted');
    const sid = `RM_${++this.#lastSid}`;
    const [participants, listeners] = [new Map(), new Map()];
    this.#rooms.set(name, { name, sid, metadata, participants, listeners });
  }

  close(name: string, reason: string): void {
    const room = this.#rooms.get(name);
    this.#rooms.delete(name);
    for (const listener of room?.listeners.values() ?? [])
      this.#tell(listener, () => listener.disconnected(reason));
  }

  /** LiveKit is restarted: the same people come back, into rooms with other SIDs. */
  restart(): void {
    for (const { name, metadata, participants } of [...this.#rooms.values()]) {
      const humans = [...participants.values()].filter(({ kind }) => kind !== 'agent');
      this.close(name, 'server-shutdown');
      this.open(name, metadata);
      for (const human of humans) this.join(name, human.identity, human.hasAudio);
    }
  }

  join(name: string, identity: string, hasAudio: boolean): void {
    const room = this.#rooms.get(name);
    if (room === undefined) return;
    room.participants.set(identity, { identity, name: identity, kind: 'standard', attributes: {}, hasAudio });
    this.#humansChanged(room);
  }

  leave(name: string, identity: string): void {
    const room = this.#rooms.get(name);
    if (room?.participants.delete(identity)) this.#humansChanged(room);
  }

  /** Somebody in each room says the next number. */
  talk(): void {
    for (const room of this.#rooms.values()) {
      const isSpoken = [...room.participants.values()].some(
        ({ kind, hasAudio }) => kind !== 'agent' && hasAudio,
      );
      if (!isSpoken) continue;
      const word = this.word(room.name) + 1;
      this.#words.set(room.name, word);
      for (const listener of room.listeners.values()) {
        if (this.#reaches(listener.process)) listener.process.run(() => listener.heard(word));
      }
    }
  }

  /** An agent comes in. False when there is no such room. */
  enter(name: string, identity: string, epoch: number | null, listener: SimListener): boolean {
    const room = this.#rooms.get(name);
    if (room === undefined) return false;
    const agent = { identity, name: agentName, kind: 'agent', hasAudio: false } as const;
    room.participants.set(identity, { ...agent, attributes: {} });
    room.listeners.set(identity, listener);
    if (epoch !== null) this.showEpoch(name, identity, epoch);
    this.refresh(name, identity);
    return true;
  }

  showEpoch(name: string, identity: string, epoch: number): void {
    const room = this.#rooms.get(name);
    const agent = room?.participants.get(identity);
    if (room === undefined || agent === undefined) return;
    room.participants.set(identity, { ...agent, attributes: { [epochAttribute]: String(epoch) } });
    for (const [other, listener] of room.listeners) {
      if (other !== identity) this.#tell(listener, () => listener.epochSeen(epoch));
    }
  }

  /** Tells an agent all that it may have missed. */
  refresh(name: string, identity: string): void {
    const room = this.#rooms.get(name);
    const listener = room?.listeners.get(identity);
    if (room === undefined || listener === undefined) return;
    for (const [other, { attributes }] of room.participants) {
      const epoch = Number(attributes[epochAttribute] ?? 0);
      if (other !== identity) this.#tell(listener, () => listener.epochSeen(epoch));
    }
    this.#tell(listener, () => listener.humansChanged(humansIn(room)));
  }

  exit(name: string, identity: string, listener: SimListener): void {
    const room = this.#rooms.get(name);
    if (room?.listeners.get(identity) !== listener) return;
    room.listeners.delete(identity);
    room.participants.delete(identity);
  }

  /** Who could not be told anything is told now how things stand. */
  reconnect(): void {
    for (const room of this.#rooms.values()) {
      for (const identity of room.listeners.keys()) this.refresh(room.name, identity);
    }
  }

  /** A process died without a word: its agents stay listed for a while. */
  lose(process: SimProcess): void {
    for (const room of this.#rooms.values()) {
      for (const [identity, listener] of room.listeners) {
        if (listener.process !== process) continue;
        room.listeners.delete(identity);
        const ghost = room.participants.get(identity);
        this.#time.after(ghostMs, () => {
          if (room.participants.get(identity) === ghost) room.participants.delete(identity);
        });
      }
    }
  }

  async listRooms(names?: string[]): Promise<LiveRoom[]> {
    const all = [...this.#rooms.values()].filter(({ name }) => names?.includes(name) ?? true);
    return all.map(({ name, sid, metadata, participants }) => ({
      ...{ name, sid, metadata },
      participants: participants.size,
      createdAtMs: 0,
    }));
  }

  async listParticipants(room: string): Promise<LiveParticipant[]> {
    return [...(this.#rooms.get(room)?.participants.values() ?? [])];
  }

  async updateMetadata(room: string, metadata: string): Promise<boolean> {
    const found = this.#rooms.get(room);
    if (found !== undefined) found.metadata = metadata;
    return found !== undefined;
  }

  async removeParticipant(name: string, identity: string): Promise<boolean> {
    const room = this.#rooms.get(name);
    const listener = room?.listeners.get(identity);
    const wasThere = room?.participants.delete(identity) ?? false;
    room?.listeners.delete(identity);
    if (listener !== undefined) this.#tell(listener, () => listener.disconnected('participant-removed'));
    return wasThere;
  }

  async mintAgentToken({ room, epoch }: { room: string; epoch: number }): Promise<string> {
    return `${room} ${epoch}`;
  }

  #humansChanged(room: SimRoom): void {
    for (const listener of room.listeners.values()) {
      this.#tell(listener, () => listener.humansChanged(humansIn(room)));
    }
  }

  #tell(listener: SimListener, event: () => void): void {
    const { process } = listener;
    this.#time.after(spreadMs, () => this.#reaches(process) && process.run(event));
  }
}

function humansIn({ participants }: SimRoom): number {
  return [...participants.values()].filter(({ kind }) => kind !== 'agent').length;
}
