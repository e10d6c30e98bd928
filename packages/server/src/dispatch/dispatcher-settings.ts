/** The dispatcher's knobs. Times in milliseconds. */
export interface DispatcherSettings {
  /** `demand`: rooms somebody asked for. `all`: every room in which a human has a voice. */
  rooms: 'demand' | 'all';
  /** Where agents connect to. */
  url: string;
  /** Language of sessions whose demand names none. */
  language: string;
  /** Speech provider of sessions whose demand names none. */
  provider: string;
  /** Our own version: workers of a very different one take no rooms. */
  version: string;
  /** Pause between polls of `ListRooms`, ± 20 %. */
  pollMs: number;
  /** Pause between looks at leases and heartbeats. */
  observeMs: number;
  /** Silence of heartbeats after which a worker is suspect. */
  suspicionMs: number;
  leaseTtlMs: number;
  /** An assignment that was not answered is sent again after this. */
  resendAfterMs: number;
  /** …and given to another worker after this. */
  confirmWithinMs: number;
  /** Longest join of a worker that says it has the room but is not in it yet (joins are queued in bursts). */
  joinWithinMs: number;
  /** Time an agent has to flush its finals after it was told to leave. */
  leaveWithinMs: number;
  /** Rooms of one draining worker that change hands at the same time. */
  handoversAtOnce: number;
  /** Rooms that may wait for an agent; those beyond it have no position. */
  queueLimit: number;
  /** A slot is kept for a reserved room this long before it is to begin. */
  reserveAheadMs: number;
  /** How long a room in which two workers died is left alone; it doubles with each further one. */
  quarantineMs: number;
  /** A room served this long without trouble is no longer suspected of killing workers. */
  quietMs: number;
  /** Longest pause before a room whose agent failed is tried again. */
  retryMaxMs: number;
  /** A wish for a room that never began is dropped after this. */
  armedTtlMs: number;
  /** Rooms handled at the same time: they share what is read of the whole world, which grows with all rooms. */
  concurrency: number;
}

/** Defaults; the table in the design's chapter on leases and takeover is their source. */
export const defaultDispatcherSettings: Omit<
  DispatcherSettings,
  'url' | 'language' | 'provider' | 'version'
> = {
  rooms: 'demand',
  pollMs: 5000,
  observeMs: 500,
  suspicionMs: 2000,
  leaseTtlMs: 4000,
  resendAfterMs: 1000,
  confirmWithinMs: 3000,
  joinWithinMs: 15_000,
  leaveWithinMs: 8000,
  handoversAtOnce: 4,
  queueLimit: 1000,
  reserveAheadMs: 300_000,
  quarantineMs: 60_000,
  quietMs: 60_000,
  retryMaxMs: 30_000,
  armedTtlMs: 24 * 3_600_000,
  concurrency: 64,
};
