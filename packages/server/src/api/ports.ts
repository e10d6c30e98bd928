import type {
  CapacityView,
  DemandSettings,
  Readiness,
  ReservationView,
  Role,
  RoomView,
  Segment,
  SettingsView,
} from '@dialoglens/protocol';
import type { Clock } from '../clock.ts';
import type { Metrics } from '../observability/metric-table.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { AgentRegistry, AgentStatus } from '../registry/agent-registry.ts';
import type { Session, SpeakerCoverage, Store } from '../store/store.ts';

/** What became of a start. `sessionId` and `queuePosition` are null when there is none. */
export interface StartAnswer {
  status: 'assigned' | 'queued' | 'armed';
  /** The dispatcher's word for why. */
  reason: string;
  sessionId: string | null;
  queuePosition: number | null;
}

/** What became of a stop; `idle` when nothing was running or wanted. */
export interface StopAnswer {
  status: 'stopped' | 'idle';
  reason: string;
  sessionId: string | null;
}

/** The dispatcher, as the API needs it. `actor` goes into the audit log, which the implementation writes. */
export interface TranscriptionControl {
  /**
   * Records the wish and answers with what it led to. Repeating it changes nothing.
   * @throws DialogLensError `unsupported_language`, `unknown_provider`, `queue_full`, `store_unavailable`
   */
  start(room: string, settings: DemandSettings, actor: string, priority?: number): Promise<StartAnswer>;
  /** Moves a wanted room in the queue. Null when nobody wants it. @throws DialogLensError `store_unavailable` */
  setPriority(room: string, priority: number, actor: string): Promise<RoomView | null>;
  /** Keeps a slot for a room that is to begin. @throws DialogLensError `queue_full`, `store_unavailable` */
  reserve(
    reservation: { room: string; startsAt: number; endsAt: number },
    actor: string,
  ): Promise<ReservationView>;
  /** False when none was reserved. */
  cancelReservation(room: string, actor: string): Promise<boolean>;
  /** Those that are not over, the first to begin first. */
  reservations(): Promise<ReservationView[]>;
  /** Idempotent. */
  stop(room: string, actor: string): Promise<StopAnswer>;
  /** Every room that is wanted or served. */
  rooms(): Promise<RoomView[]>;
  room(name: string): Promise<RoomView | null>;
  /** The workers that are heard; one that cannot be used says why. */
  agents(): Promise<AgentStatus[]>;
  /** Null when no such worker is heard. @throws DialogLensError `store_unavailable`, `registry_unavailable` */
  drain(agentId: string, actor: string): Promise<{ rooms: number } | null>;
  capacity(): Promise<CapacityView>;
}

/** What a verified webhook says: a hint to look at a room. */
export interface WebhookNotice {
  /** Stable across LiveKit's own retries. */
  id: string;
  /** `room_started`, `track_published`, … as LiveKit names it. */
  event: string;
  /** Empty for events that concern no room. */
  room: string;
  /** Lower case; null when no participant is concerned. */
  participantKind: string | null;
  createdAtMs: number;
}

/** Verification and use of webhooks. */
export interface WebhookReceiver {
  /** @throws DialogLensError `webhook_rejected` saying what did not match */
  receive(rawBody: Buffer, authorization: string | undefined): Promise<WebhookNotice>;
  /** Only marks the room as one to look at; quick. */
  handleRoomEvent(notice: WebhookNotice): Promise<void>;
}

/** What a LiveKit access token lets its bearer do. */
export interface AccessTokenClaims {
  identity: string;
  room: string | undefined;
  roomJoin: boolean;
  roomAdmin: boolean;
}

export interface AccessTokenVerifier {
  /** Null when the token is not signed with our key pair or no longer valid. */
  verify(token: string): Promise<AccessTokenClaims | null>;
}

/** Everything an export is made of. */
export interface ExportInput {
  session: Session;
  /** Finals in reading order. */
  segments: Segment[];
  coverage: SpeakerCoverage[];
}

/** One row of the table of file formats. */
export interface ExportFormat {
  /** MIME type with charset. */
  contentType: string;
  /** File name ending without the dot. */
  extension: string;
  write(input: ExportInput): string | Uint8Array | Promise<string | Uint8Array>;
}

/** One API key of the configuration; `hash` is the SHA-256 of the secret in hexadecimal. */
export type ApiKey = { id: string; role: Role } & ({ secret: string } | { hash: string });

/** Bounds that tests and configuration may change; the defaults are in `server.ts`. */
export interface ApiLimits {
  /** Live viewers of this process. */
  maxViewers: number;
  /** Requests a minute from one address. */
  requestsPerMinute: number;
  /** Attempts to sign in a minute from one address. */
  signInsPerMinute: number;
  /** Pause between SSE heartbeats. */
  heartbeatMs: number;
  /** How often the fleet is looked at while somebody watches it. */
  fleetLookMs: number;
  /** How long running requests may go on after stop. */
  stopGraceMs: number;
  /** Largest webhook, bytes. */
  maxWebhookBytes: number;
  /** Largest body of another request, bytes. */
  maxBodyBytes: number;
}

/** Tokens for people who join from their browser. */
export interface JoinTokens {
  /** Where their browsers reach LiveKit. */
  url: string;
  /** A token for one person and one room. */
  mint(grant: { room: string; identity: string; name: string }): Promise<string>;
}

/** The built web application. */
export interface WebPages {
  /** Folder with `index.html` and everything it loads. */
  folder: string;
  /** Origins that pages connect to besides this server: LiveKit's. */
  connectTo: readonly string[];
}

/** All the API is made of. */
export interface ApiDeps {
  host: string;
  /** 0 picks a free one. */
  port: number;
  keys: readonly ApiKey[];
  store: Pick<Store, 'record' | 'inbox' | 'corrections' | 'removal' | 'keys' | 'operations'>;
  /** What all dispatchers of a cluster know and nobody else: sign-ins of one are good on the others. */
  cookieSecret: string;
  /** How the server is set, without secrets. */
  settings(): SettingsView;
  registry: Pick<AgentRegistry, 'subscribe' | 'publish' | 'onReport' | 'onHint'>;
  control: TranscriptionControl;
  webhooks: WebhookReceiver;
  /** Null when no LiveKit key pair is known here. */
  tokens: AccessTokenVerifier | null;
  exportFormats: Readonly<Record<string, ExportFormat>>;
  readiness(): Promise<Readiness>;
  metricsText(): Promise<{ contentType: string; body: string }>;
  metrics: Metrics;
  logger: Logger;
  clock: Clock;
  /** Left out where no LiveKit key pair is known. */
  joinTokens?: JoinTokens;
  /** Web origins whose pages may read captions with a token; none unless given. */
  allowedOrigins?: readonly string[];
  /** The built web application; left out where only the API is served. */
  web?: WebPages | undefined;
  limits?: Partial<ApiLimits>;
}
