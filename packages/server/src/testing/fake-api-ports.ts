import type { MoveView, RoomView, Segment, SettingsView } from '@dialoglens/protocol';
import type { AccessTokenClaims, ApiDeps, ApiLimits, WebhookNotice } from '../api/ports.ts';
import type { Clock } from '../clock.ts';
import { DialogLensError } from '../errors.ts';
import type { MetricName, Metrics } from '../observability/metric-table.ts';
import { silentLogger } from '../observability/telemetry.ts';
import type { AgentRegistry } from '../registry/agent-registry.ts';
import { createMemoryRegistry } from '../registry/memory-registry.ts';
import type { MinuteCount, Page, Paged, RecordStore, Session, SpeakerCoverage } from '../store/store.ts';
import { FakeKeyStore } from './fake-key-store.ts';

const fakeSettings: SettingsView = {
  version: '1.2.3',
  speech: { language: 'en', chain: [], onRequest: [] },
  store: { kind: 'pglite', host: null },
  registry: { kind: 'memory', host: null },
  livekit: { url: 'ws://127.0.0.1:7880', publicUrl: 'ws://127.0.0.1:7880' },
};

/** A session as tests like it; the fields given win. */
export function fakeSession(change: Partial<Session> & { id: string }): Session {
  return {
    room: 'standup',
    roomSid: 'RM_1',
    language: 'en',
    provider: 'scripted',
    startedAt: Date.UTC(2026, 0, 31, 9),
    endedAt: null,
    endReason: null,
    changes: 0,
    ...change,
  };
}

/** A final of the given session. */
export function fakeSegment(change: Partial<Segment> & { id: `seg_${string}`; sessionId: string }): Segment {
  return {
    room: 'standup',
    trackId: 'TR_1',
    identity: 'ada',
    speaker: 'Ada',
    revision: 1,
    isFinal: true,
    text: 'good morning',
    stableLength: 0,
    startMs: 0,
    endMs: 1000,
    startedAt: Date.UTC(2026, 0, 31, 9),
    confidence: null,
    language: 'en',
    ...change,
  };
}

/** What the API's tests see and set behind its ports. */
export class FakeApiPorts {
  readonly sessions = new Map<string, Session>();
  readonly finals: Segment[] = [];
  coverage: SpeakerCoverage[] = [];
  readonly tokens = new Map<string, AccessTokenClaims>();
  readonly started: { room: string; settings: object; actor: string; priority?: number }[] = [];
  readonly prioritised: { room: string; priority: number; actor: string }[] = [];
  readonly reserved: { room: string; startsAt: number; endsAt: number; actor: string }[] = [];
  readonly stopped: { room: string; actor: string }[] = [];
  readonly drained: { agentId: string; actor: string }[] = [];
  readonly hints: WebhookNotice[] = [];
  readonly searches: object[] = [];
  readonly moves: MoveView[] = [];
  readonly measured: MinuteCount[] = [];
  /** Counters by name and labels, such as `webhooks_total event=other result=ignored`. */
  readonly counts = new Map<string, number>();
  /** Rooms that are served, with what is special about them. */
  readonly served = new Map<string, Partial<RoomView>>();
  storeAway = false;
  ready = true;
  /** What the next start throws. */
  refusal: DialogLensError | null = null;
  readonly registry: AgentRegistry;
  readonly keys: FakeKeyStore;
  readonly #clock: Clock;
  readonly #seen = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.registry = createMemoryRegistry({ clock });
    this.keys = new FakeKeyStore(clock, () => this.#reach());
  }

  /** The ports as the API takes them. */
  deps(change: Partial<Omit<ApiDeps, 'limits'>> & { limits?: Partial<ApiLimits> } = {}): ApiDeps {
    return {
      host: '127.0.0.1',
      port: 0,
      keys: [],
      cookieSecret: 'what all dispatchers know',
      settings: () => fakeSettings,
      store: {
        record: this.#record(),
        inbox: this.#inbox(),
        corrections: this.#corrections(),
        removal: this.#removal(),
        keys: this.keys,
        operations: this.#operations(),
      },
      registry: this.registry,
      control: this.#control(),
      webhooks: {
        receive: () => Promise.reject(new DialogLensError('webhook_rejected', 'No receiver in this test.')),
        handleRoomEvent: async (notice) => void this.hints.push(notice),
      },
      tokens: { verify: async (token) => this.tokens.get(token) ?? null },
      exportFormats: {
        txt: {
          contentType: 'text/plain; charset=utf-8',
          extension: 'txt',
          write: ({ segments }) => segments.map((segment) => segment.text).join('\n'),
        },
      },
      readiness: async () => ({ ready: this.ready, checks: { store: { ok: this.ready } } }),
      metricsText: async () => ({
        contentType: 'text/plain; version=0.0.4',
        body: 'dialoglens_agents_active 1\n',
      }),
      metrics: this.#metrics(),
      logger: silentLogger,
      clock: this.#clock,
      ...change,
    };
  }

  #control(): ApiDeps['control'] {
    const running = new Set<string>();
    return {
      start: async (room, settings, actor, priority) => {
        if (this.refusal) throw this.refusal;
        this.started.push({ room, settings, actor, ...(priority !== undefined && { priority }) });
        running.add(room);
        return { status: 'armed', reason: 'room has not started', sessionId: null, queuePosition: null };
      },
      stop: async (room, actor) => {
        this.stopped.push({ room, actor });
        const was = running.delete(room);
        return {
          status: was ? 'stopped' : 'idle',
          reason: was ? 'asked to stop' : 'not wanted',
          sessionId: null,
        };
      },
      setPriority: async (room, priority, actor) => {
        if (!running.has(room)) return null;
        this.prioritised.push({ room, priority, actor });
        return roomView(room);
      },
      reserve: async (reservation, actor) => {
        this.reserved.push({ ...reservation, actor });
        return { ...reservation, status: 'planned' };
      },
      cancelReservation: async (room) => {
        const at = this.reserved.findIndex((one) => one.room === room);
        return at >= 0 && this.reserved.splice(at, 1).length > 0;
      },
      reservations: async () => this.reserved.map(({ actor, ...one }) => ({ ...one, status: 'planned' })),
      rooms: async () => [...running].map(roomView),
      room: async (name) =>
        running.has(name) || this.served.has(name) ? { ...roomView(name), ...this.served.get(name) } : null,
      agents: () => this.registry.agents(),
      drain: async (agentId, actor) => {
        const agent = (await this.registry.agents()).find((heard) => heard.agentId === agentId);
        if (!agent) return null;
        this.drained.push({ agentId, actor });
        return { rooms: agent.rooms.length };
      },
      capacity: async () => {
        this.#reach();
        return {
          agents: { total: 1, busy: 0, available: 1 },
          slots: { total: 10, used: 0, reserved: 0 },
          queuedRooms: 0,
          wantedAgents: 1,
          wantedReason: 'enough workers',
          avgSessionDuration: 0,
        };
      },
    };
  }

  #metrics(): Metrics {
    const nothing = () => undefined;
    const count = (name: MetricName, labels: Record<string, string>, by = 1) => {
      const key = [name, ...Object.entries(labels).map(([label, value]) => `${label}=${value}`)].join(' ');
      this.counts.set(key, (this.counts.get(key) ?? 0) + by);
    };
    return { count, set: nothing, observe: nothing };
  }

  #inbox(): ApiDeps['store']['inbox'] {
    return {
      accept: async ({ id }) => {
        this.#reach();
        if (this.#seen.has(id)) return false;
        this.#seen.add(id);
        return true;
      },
      prune: async () => 0,
    };
  }

  #operations(): ApiDeps['store']['operations'] {
    return {
      moves: async (page) => {
        this.#reach();
        return slice(this.moves, page);
      },
      addMeasures: () => Promise.reject(new Error('The API measures nothing itself.')),
      measures: async () => {
        this.#reach();
        return { now: this.#clock.nowMs(), counts: this.measured };
      },
    };
  }

  #reach(): void {
    if (this.storeAway) throw new DialogLensError('store_unavailable', 'The test took the store away.');
  }

  /** Nothing can be corrected here: tests of that run over a real store. */
  #corrections(): ApiDeps['store']['corrections'] {
    const unknown = async () => {
      this.#reach();
      throw new DialogLensError('not_found', 'This fake has nothing to correct.');
    };
    const none = async () => {
      this.#reach();
      return [];
    };
    return {
      correctSegment: unknown,
      undoSegment: unknown,
      history: async (_, segmentId) => {
        const final = this.finals.find(({ id }) => id === segmentId);
        return final ? { original: final.text, corrections: [] } : unknown();
      },
      speakers: none,
      speakerNames: none,
      correctSpeaker: unknown,
      undoSpeaker: unknown,
    };
  }

  #removal(): ApiDeps['store']['removal'] {
    const unknown = async () => {
      this.#reach();
      throw new DialogLensError('not_found', 'This fake has nothing to remove.');
    };
    return { deleteSession: unknown, removePerson: unknown };
  }

  #record(): RecordStore {
    const unused = () => Promise.reject(new Error('The API does not write the record.'));
    const of = (id: string) => this.finals.filter((segment) => segment.sessionId === id);
    const read = async <T>(make: () => T): Promise<T> => {
      this.#reach();
      return make();
    };
    return {
      openSession: unused,
      endSession: unused,
      openSessions: (rooms) =>
        read(() => {
          const open = [...this.sessions.values()].filter(({ endedAt }) => endedAt === null);
          return open.filter(({ room }) => rooms?.includes(room) ?? true);
        }),
      openTrack: unused,
      tracks: unused,
      writeFinals: unused,
      writeSpans: unused,
      getSession: (id) => read(() => this.sessions.get(id) ?? null),
      listSessions: (page, filter) =>
        read(() =>
          slice(
            [...this.sessions.values()].filter((s) => !filter?.room || s.room === filter.room),
            page,
          ),
        ),
      segments: (id, page) => read(() => slice(of(id), page)),
      recentSegments: (id, count) => read(() => of(id).slice(-count)),
      coverage: () => read(() => this.coverage),
      search: (query, page, filter) => {
        this.searches.push({ query, ...filter });
        return read(() => {
          const hits = this.finals.filter(
            (s) => s.text.includes(query) && (!filter?.room || s.room === filter.room),
          );
          return slice(
            hits.map((segment) => ({ segment, snippet: segment.text })),
            page,
          );
        });
      },
    };
  }
}

function slice<T>(items: T[], page: Page): Paged<T> {
  const from = Number(page.cursor ?? 0);
  const to = from + page.limit;
  return { items: items.slice(from, to), next: to < items.length ? String(to) : null };
}

function roomView(room: string) {
  return {
    room,
    status: 'armed' as const,
    reason: 'room has not started',
    demand: null,
    agentId: null,
    epoch: null,
    sessionId: null,
    queuePosition: null,
    since: 1,
  };
}
