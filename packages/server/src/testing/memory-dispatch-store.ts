import type { Clock } from '../clock.ts';
import { DialogLensError } from '../errors.ts';
import type {
  AuditLog,
  Demand,
  DemandStore,
  Lease,
  LeaseStore,
  RecordStore,
  Reservation,
  ReservationStore,
  Session,
} from '../store/store.ts';

interface Row {
  epoch: number;
  renewSeq: number;
  holder: string | null;
  sessionId: string | null;
  expiresAt: number;
  successor: string | null;
  strikes: number;
  struckAt: number;
}

const freed = { holder: null, sessionId: null, successor: null };

/** What a wish says, in one word. */
const wishOf = ({ wanted, source, settings, priority, roomSid }: Demand) =>
  JSON.stringify([wanted, source, settings, priority, roomSid]);

const notHere = (): never => {
  throw new Error('This fake has no transcripts.');
};

/**
 * The part of the store that dispatchers and workers use to agree, in memory and on a clock of the test's. It keeps
 * the promises of the port; transcripts are not in it.
 */
export class MemoryDispatchStore {
  readonly #clock: Clock;
  readonly #leases = new Map<string, Row>();
  /** Rooms that may have a strike, and those that a worker may have: not all rooms have to be looked through for them. */
  readonly #everStruck = new Set<string>();
  readonly #everOf = new Map<string, Set<string>>();
  readonly #demands = new Map<string, Demand>();
  readonly #sessions = new Map<string, Session>();
  /** The same sessions by room and SID. */
  readonly #incarnations = new Map<string, Session>();
  /** And by room. */
  readonly #sessionsOf = new Map<string, Session[]>();
  readonly #reservations = new Map<string, Reservation>();
  /** While true, every call fails as if the database were away. */
  away = false;
  readonly audited: { actor: string; action: string; target: string }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  readonly leases: LeaseStore = {
    claim: async ({ room, holder, sessionId, ttlMs, slots }) => {
      this.#answer();
      const row = this.#leases.get(room);
      if (row && row.holder !== null && !this.#isExpired(row)) return null;
      return this.#grant(room, { holder, sessionId, ttlMs, slots });
    },
    renew: async (holder, held, ttlMs) => {
      this.#answer();
      const kept = held.filter(({ room, epoch, sessionId = null }) => {
        const row = this.#leases.get(room);
        const isOfIt = sessionId === null || row?.sessionId === sessionId;
        return row?.holder === holder && row.epoch === epoch && isOfIt;
      });
      for (const { room } of kept) this.#renewRow(room, ttlMs);
      return kept.map(({ room }) => room);
    },
    release: async (room, epoch, struck = false) => {
      this.#answer();
      const row = this.#leases.get(room);
      if (row?.epoch !== epoch || row.holder === null) return false;
      Object.assign(row, freed);
      if (struck) this.#strike(room, row);
      return true;
    },
    releaseAll: async (holder, struck = false) => {
      this.#answer();
      const rows = [...this.#leases].filter(([, row]) => row.holder === holder);
      for (const [room, row] of rows) {
        Object.assign(row, freed);
        if (struck) this.#strike(room, row);
      }
      return rows.map(([room]) => room);
    },
    takeover: async ({ room, holder, observed, ttlMs, slots, struck }) => {
      this.#answer();
      const row = this.#leases.get(room);
      if (row === undefined || row.holder === null) return null;
      const stands = row.epoch === observed.epoch && row.renewSeq === observed.renewSeq;
      if (!stands && !this.#isExpired(row)) return null;
      const { sessionId } = row;
      const granted = this.#grant(room, { holder, sessionId, ttlMs, slots });
      const taken = this.#leases.get(room);
      if (granted !== null && struck && taken) this.#strike(room, taken);
      return granted === null ? null : { ...granted, sessionId };
    },
    prepare: async ({ room, epoch, successor, slots }) => {
      this.#answer();
      const row = this.#leases.get(room);
      if (row?.epoch !== epoch || row.holder === null || row.holder === successor) return false;
      if (this.#load(successor, room) >= slots) return false;
      row.successor = successor;
      this.#countFor(successor, room);
      return true;
    },
    unprepare: async (room, epoch) => {
      this.#answer();
      const row = this.#leases.get(room);
      if (row?.epoch === epoch) row.successor = null;
    },
    handOver: async ({ room, epoch, ttlMs }) => {
      this.#answer();
      const row = this.#leases.get(room);
      if (row?.epoch !== epoch || row.holder === null || row.successor === null) return null;
      const expiresAt = this.#clock.nowMs() + ttlMs;
      Object.assign(row, {
        epoch: epoch + 1,
        renewSeq: 0,
        holder: row.successor,
        successor: null,
        expiresAt,
      });
      return { epoch: row.epoch, holder: row.holder, sessionId: row.sessionId };
    },
    struck: async () => {
      this.#answer();
      return [...this.#everStruck].flatMap((room) => {
        const { strikes = 0, struckAt = 0 } = this.#leases.get(room) ?? {};
        return strikes > 0 ? [{ room, strikes, struckAt }] : [];
      });
    },
    absolve: async (room) => {
      this.#answer();
      const row = this.#leases.get(room);
      if (row !== undefined) row.strikes = 0;
    },
    list: async (rooms) => {
      this.#answer();
      return rooms === undefined ? this.held() : rooms.flatMap((room) => this.#heldOf(room));
    },
  };

  readonly demands: DemandStore = {
    get: async (room) => {
      this.#answer();
      const demand = this.#demands.get(room);
      return demand === undefined ? null : { ...demand };
    },
    put: async (demand) => {
      this.#answer();
      return this.#putDemand(demand);
    },
    replace: async (from, demand) => {
      this.#answer();
      const stored = this.#demands.get(demand.room) ?? null;
      const isSame = stored === null || from === null ? stored === from : wishOf(stored) === wishOf(from);
      return isSame ? this.#putDemand(demand) : null;
    },
    setPriority: async (room, priority) => {
      this.#answer();
      const demand = this.#demands.get(room);
      if (demand?.wanted !== true) return false;
      demand.priority = priority;
      return true;
    },
    bind: async (room, roomSid, from = null) => {
      this.#answer();
      const demand = this.#demands.get(room);
      if (demand?.roomSid === from) demand.roomSid = roomSid;
    },
    remove: async (room, { roomSid, source } = {}) => {
      this.#answer();
      const stored = this.#demands.get(room);
      const isOther = roomSid !== undefined && stored?.roomSid !== roomSid;
      const isOtherWord = source !== undefined && stored?.source !== source;
      return !isOther && !isOtherWord && this.#demands.delete(room);
    },
    list: async () => {
      this.#answer();
      return [...this.#demands.values()].map((demand) => ({ ...demand }));
    },
    expireArmed: async (olderThanMs) => {
      this.#answer();
      const old = [...this.#demands.values()].filter(
        (demand) => demand.roomSid === null && demand.requestedAt < this.#clock.nowMs() - olderThanMs,
      );
      for (const { room } of old) this.#demands.delete(room);
      return old.length;
    },
  };

  readonly reservations: ReservationStore = {
    put: async (reservation) => {
      this.#answer();
      this.#reservations.set(reservation.room, { ...reservation });
    },
    remove: async (room) => {
      this.#answer();
      return this.#reservations.delete(room);
    },
    list: async () => {
      this.#answer();
      return [...this.#reservations.values()]
        .sort((a, b) => a.startsAt - b.startsAt)
        .map((one) => ({ ...one }));
    },
    expire: async () => {
      this.#answer();
      const over = [...this.#reservations.values()].filter(({ endsAt }) => endsAt <= this.#clock.nowMs());
      for (const { room } of over) this.#reservations.delete(room);
      return over.length;
    },
  };

  readonly record: RecordStore = {
    openSession: async (session) => {
      this.#answer();
      const key = JSON.stringify([session.room, session.roomSid]);
      const same = this.#incarnations.get(key);
      if (same !== undefined) {
        const { language, provider } = session;
        return { ...Object.assign(same, { language, provider, endedAt: null, endReason: null }) };
      }
      const made = {
        ...session,
        id: `ses_${this.#sessions.size + 1}`,
        endedAt: null,
        endReason: null,
        changes: 0,
      };
      this.#sessions.set(made.id, made);
      this.#incarnations.set(key, made);
      this.#sessionsOf.set(session.room, [...(this.#sessionsOf.get(session.room) ?? []), made]);
      return { ...made };
    },
    endSession: async (id, endReason) => {
      this.#answer();
      const session = this.#sessions.get(id);
      if (session && session.endedAt === null)
        Object.assign(session, { endReason, endedAt: this.#clock.nowMs() });
    },
    openSessions: async (rooms) => {
      this.#answer();
      const open = (sessions: Iterable<Session>) =>
        [...sessions].filter(({ endedAt }) => endedAt === null).map((session) => ({ ...session }));
      if (rooms === undefined) return open(this.#sessions.values());
      return rooms.flatMap((room) => open(this.#sessionsOf.get(room) ?? []));
    },
    getSession: async (id) => {
      this.#answer();
      const session = this.#sessions.get(id);
      return session === undefined ? null : { ...session };
    },
    listSessions: notHere,
    openTrack: notHere,
    tracks: notHere,
    writeFinals: notHere,
    writeSpans: notHere,
    segments: notHere,
    recentSegments: notHere,
    coverage: notHere,
    search: notHere,
  };

  readonly audit: AuditLog = {
    append: async (entry) => {
      this.#answer();
      this.audited.push(entry);
    },
  };

  /** Held leases, readable also while the store is away. */
  held(): Lease[] {
    return [...this.#leases.keys()].flatMap((room) => this.#heldOf(room));
  }

  #heldOf(room: string): Lease[] {
    const row = this.#leases.get(room);
    if (row === undefined || row.holder === null) return [];
    return [{ room, ...row, expired: this.#isExpired(row) }];
  }

  /** The epoch under which the room may be written now, or null when nobody holds it. */
  epochOf(room: string): number | null {
    const row = this.#leases.get(room);
    return row === undefined || row.holder === null ? null : row.epoch;
  }

  /** All sessions, ended ones included. */
  sessions(): Session[] {
    return [...this.#sessions.values()].map((session) => ({ ...session }));
  }

  #putDemand(demand: Omit<Demand, 'requestedAt'>): Demand {
    const before = this.#demands.get(demand.room);
    const keeps = before?.wanted === true && demand.wanted;
    const row = { ...demand, requestedAt: keeps ? before.requestedAt : this.#clock.nowMs() };
    this.#demands.set(demand.room, row);
    return { ...row };
  }

  #grant(
    room: string,
    to: { holder: string; sessionId: string | null; ttlMs: number; slots: number },
  ): { epoch: number } | null {
    if (this.#load(to.holder, room) >= to.slots) return null;
    const before = this.#leases.get(room);
    const epoch = (before?.epoch ?? 0) + 1;
    const { holder, sessionId } = to;
    this.#countFor(holder, room);
    this.#leases.set(room, {
      epoch,
      renewSeq: 0,
      holder,
      sessionId,
      expiresAt: this.#clock.nowMs() + to.ttlMs,
      successor: null,
      strikes: before?.strikes ?? 0,
      struckAt: before?.struckAt ?? 0,
    });
    return { epoch };
  }

  /** Slots in use: rooms a worker holds and rooms it is to follow in. */
  #load(worker: string, except: string): number {
    const rooms = this.#everOf.get(worker) ?? new Set();
    let load = 0;
    for (const room of rooms) {
      const row = this.#leases.get(room);
      const isIts = row?.holder === worker || (row?.holder != null && row.successor === worker);
      if (!isIts) rooms.delete(room);
      else if (room !== except && !this.#isExpired(row)) load++;
    }
    return load;
  }

  #countFor(worker: string, room: string): void {
    const rooms = this.#everOf.get(worker);
    if (rooms === undefined) this.#everOf.set(worker, new Set([room]));
    else rooms.add(room);
  }

  #strike(room: string, row: Row): void {
    this.#everStruck.add(room);
    row.strikes++;
    row.struckAt = this.#clock.nowMs();
  }

  #renewRow(room: string, ttlMs: number): void {
    const row = this.#leases.get(room);
    if (row === undefined) return;
    row.renewSeq++;
    row.expiresAt = this.#clock.nowMs() + ttlMs;
  }

  #isExpired(row: Row): boolean {
    return row.expiresAt <= this.#clock.nowMs();
  }

  #answer(): void {
    if (this.away)
      throw new DialogLensError('store_unavailable', 'The database is away, as the test wants it.');
  }
}
