import type { Lease } from '../store/store.ts';

/** All leases at one moment; those of rooms that were looked at since may be newer. */
export interface LeasePicture {
  /** When the read of it began, own monotonic clock, ms. */
  readonly readAtMs: number;
  readonly byRoom: ReadonlyMap<string, Lease>;
  /** Rooms a worker holds or is to follow in: its load. */
  readonly roomsOf: ReadonlyMap<string, readonly string[]>;
}

/** The leases as one read of them shows, indexed, and kept up to date with what later looks at single rooms find. */
export class LeaseBook implements LeasePicture {
  readonly readAtMs: number;
  readonly byRoom = new Map<string, Lease>();
  readonly roomsOf: Map<string, readonly string[]>;

  constructor(leases: readonly Lease[], readAtMs: number) {
    this.readAtMs = readAtMs;
    const roomsOf = new Map<string, string[]>();
    for (const lease of leases) {
      if (lease.holder === null) continue;
      this.byRoom.set(lease.room, lease);
      for (const agentId of takersOf(lease)) {
        const rooms = roomsOf.get(agentId);
        if (rooms === undefined) roomsOf.set(agentId, [lease.room]);
        else rooms.push(lease.room);
      }
    }
    this.roomsOf = roomsOf;
  }

  /** Takes in what a later read found about one room. */
  note(room: string, lease: Lease | null): void {
    const [before, after] = [takersOf(this.byRoom.get(room)), takersOf(lease)];
    if (lease === null) this.byRoom.delete(room);
    else this.byRoom.set(room, lease);
    // Whoever has taken a list of rooms out of here keeps it as it was.
    for (const agentId of before) {
      if (after.includes(agentId)) continue;
      const rooms = (this.roomsOf.get(agentId) ?? []).filter((other) => other !== room);
      if (rooms.length === 0) this.roomsOf.delete(agentId);
      else this.roomsOf.set(agentId, rooms);
    }
    for (const agentId of after) {
      if (!before.includes(agentId)) this.roomsOf.set(agentId, [...(this.roomsOf.get(agentId) ?? []), room]);
    }
  }
}

/** Who has a slot taken up by the room. */
function takersOf(lease: Lease | null | undefined): string[] {
  return [lease?.holder, lease?.successor].filter((agentId) => agentId != null);
}
