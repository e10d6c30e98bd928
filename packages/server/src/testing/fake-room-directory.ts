import type { LiveParticipant, LiveRoom, RoomDirectory } from '../dispatch/room-directory.ts';
import { DialogLensError } from '../errors.ts';

interface FakeRoom {
  sid: string;
  metadata: string;
  participants: Map<string, LiveParticipant>;
}

/** A LiveKit in memory: rooms, participants and metadata as a test sets them. */
export class FakeRoomDirectory implements RoomDirectory {
  readonly #rooms = new Map<string, FakeRoom>();
  #lastSid = 0;
  /** While set, every call fails with it. */
  trouble: DialogLensError | null = null;
  /** Rooms that `listRooms` leaves out although they live, as LiveKit sometimes does. */
  readonly omitted = new Set<string>();
  /** Metadata that `listRooms` shows instead of what was written last, as a lagging server does. */
  readonly lagging = new Map<string, string>();
  readonly calls: string[] = [];
  readonly removed: { room: string; identity: string }[] = [];
  readonly minted: { room: string; workerId: string; epoch: number }[] = [];

  /** Opens a room, or a new incarnation of it. Returns its SID. */
  open(room: string, metadata = ''): string {
    const sid = `RM_${++this.#lastSid}`;
    this.#rooms.set(room, { sid, metadata, participants: new Map() });
    return sid;
  }

  close(room: string): void {
    this.#rooms.delete(room);
  }

  setMetadata(room: string, metadata: string): void {
    this.#get(room).metadata = metadata;
  }

  metadata(room: string): string {
    return this.#get(room).metadata;
  }

  join(room: string, identity: string, change: Partial<LiveParticipant> = {}): void {
    const participant = {
      identity,
      name: identity,
      kind: 'standard' as const,
      attributes: {},
      hasAudio: true,
    };
    this.#get(room).participants.set(identity, { ...participant, ...change });
  }

  leave(room: string, identity: string): void {
    this.#rooms.get(room)?.participants.delete(identity);
  }

  identities(room: string): string[] {
    return [...this.#get(room).participants.keys()];
  }

  has(room: string): boolean {
    return this.#rooms.has(room);
  }

  async listRooms(names?: string[]): Promise<LiveRoom[]> {
    this.#note('listRooms');
    const asked = names ?? [...this.#rooms.keys()];
    const all = [...new Set(asked)].flatMap((name): [string, FakeRoom][] => {
      const room = this.omitted.has(name) ? undefined : this.#rooms.get(name);
      return room === undefined ? [] : [[name, room]];
    });
    return all.map(([name, { sid, metadata, participants }]) => ({
      name,
      sid,
      metadata: this.lagging.get(name) ?? metadata,
      participants: participants.size,
      createdAtMs: 0,
    }));
  }

  async listParticipants(room: string): Promise<LiveParticipant[]> {
    this.#note('listParticipants');
    return [...(this.#rooms.get(room)?.participants.values() ?? [])];
  }

  async updateMetadata(room: string, metadata: string): Promise<boolean> {
    this.#note('updateMetadata');
    const found = this.#rooms.get(room);
    if (found) found.metadata = metadata;
    return found !== undefined;
  }

  async removeParticipant(room: string, identity: string): Promise<boolean> {
    this.#note('removeParticipant');
    const removed = this.#rooms.get(room)?.participants.delete(identity) ?? false;
    if (removed) this.removed.push({ room, identity });
    return removed;
  }

  async mintAgentToken(grant: { room: string; workerId: string; epoch: number }): Promise<string> {
    this.minted.push(grant);
    return `token of epoch ${grant.epoch}`;
  }

  #get(room: string): FakeRoom {
    const found = this.#rooms.get(room);
    if (found === undefined) throw new DialogLensError('not_found', 'The test has not opened this room.');
    return found;
  }

  #note(call: string): void {
    this.calls.push(call);
    if (this.trouble !== null) throw this.trouble;
  }
}
