/** Every metric, in one table: the code, the registry and the generated reference read the same rows. */

const latencyBuckets = [0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10];
const waitBuckets = [0.5, 1, 2, 5, 7, 10, 30, 60, 300];

export interface MetricRow {
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  labels: readonly string[];
  buckets?: readonly number[];
}

export const metricTable = {
  agents_active: { type: 'gauge', help: 'Agent workers heard from within the suspicion time.', labels: [] },
  transcription_latency: {
    type: 'histogram',
    help: 'Seconds from the end of speech to its final text, with the pause that shows that it has ended.',
    labels: [],
    buckets: [0.1, 0.5, 1, 2, 5, 10],
  },
  agent_memory_usage: {
    type: 'gauge',
    help: 'Resident memory of an agent worker in bytes.',
    labels: ['agent_id'],
  },
  stt_api_errors: { type: 'counter', help: 'Errors of speech engines.', labels: ['error_type'] },
  sessions_active: { type: 'gauge', help: 'Rooms being transcribed now.', labels: [] },
  queue_depth: { type: 'gauge', help: 'Rooms that wait for a free slot.', labels: [] },
  rooms_quarantined: {
    type: 'gauge',
    help: 'Rooms that are left alone for a while because workers died in them.',
    labels: [],
  },
  queue_wait_seconds: {
    type: 'histogram',
    help: 'Seconds a room waited in the queue before it was assigned.',
    labels: [],
    buckets: waitBuckets,
  },
  time_to_agent_seconds: {
    type: 'histogram',
    help: 'Seconds from the first sight of a wanted room with a speaker to its agent being in the room.',
    labels: ['first_seen_by'],
    buckets: waitBuckets,
  },
  assignments_total: { type: 'counter', help: 'Assignments of rooms to workers.', labels: ['result'] },
  takeovers_total: {
    type: 'counter',
    help: 'Rooms taken over from a worker that fell silent.',
    labels: ['cause'],
  },
  takeover_seconds: {
    type: 'histogram',
    help: 'Seconds from the last renewal of the old holder to the grant of the new one.',
    labels: [],
    buckets: waitBuckets,
  },
  handovers_total: {
    type: 'counter',
    help: 'Rooms that were to move from a worker that drains to another one.',
    labels: ['result'],
  },
  handover_seconds: {
    type: 'histogram',
    help: 'Seconds from the choice of the successor to the moment the room was its own; captions go on meanwhile.',
    labels: [],
    buckets: waitBuckets,
  },
  agents_wanted: {
    type: 'gauge',
    help: 'Agent workers there should be; an autoscaler may follow it.',
    labels: [],
  },
  slots_total: { type: 'gauge', help: 'Slots of all workers alive.', labels: [] },
  slots_reserved: { type: 'gauge', help: 'Slots kept for rooms that are about to begin.', labels: [] },
  slots_used: { type: 'gauge', help: 'Slots held by a lease.', labels: [] },
  caption_latency_seconds: {
    type: 'histogram',
    help: 'Seconds a caption spent in a stage. For finals, `engine` runs from the end of speech; for partials from the newest audio in them.',
    labels: ['stage', 'kind'],
    buckets: latencyBuckets,
  },
  segments_total: { type: 'counter', help: 'Segment revisions made.', labels: ['kind'] },
  audio_seconds_total: {
    type: 'counter',
    help: 'Seconds of audio accounted for, by what they were.',
    labels: ['state'],
  },
  gap_seconds_total: {
    type: 'counter',
    help: 'Seconds of audio without text, by reason.',
    labels: ['reason'],
  },
  stt_faults_total: {
    type: 'counter',
    help: 'Faults reported by speech engines.',
    labels: ['provider', 'kind'],
  },
  speech_without_text_seconds_total: {
    type: 'counter',
    help: 'Seconds somebody spoke for ten seconds or longer without any text. Worth an alert when it rises.',
    labels: [],
  },
  stt_replayed_seconds_total: {
    type: 'counter',
    help: 'Seconds of audio sent to a speech engine again.',
    labels: [],
  },
  stt_streams: { type: 'gauge', help: 'Open streams of a speech engine.', labels: ['provider'] },
  sink_lag_seconds: {
    type: 'gauge',
    help: 'Age of the oldest caption a sink has not delivered.',
    labels: ['sink'],
  },
  sink_dropped_total: {
    type: 'counter',
    help: 'Captions a sink let go of: partials under load, finals only when neither store nor disk took them.',
    labels: ['sink'],
  },
  webhooks_total: { type: 'counter', help: 'Webhooks received from LiveKit.', labels: ['event', 'result'] },
  livekit_api_errors_total: {
    type: 'counter',
    help: 'Failed calls of the LiveKit server API.',
    labels: ['call'],
  },
  agent_jobs_total: {
    type: 'counter',
    help: 'Jobs of LiveKit’s agent dispatch that were offered to us.',
    labels: ['result'],
  },
  fenced_writes_total: {
    type: 'counter',
    help: 'Writes refused because the writer no longer held the room.',
    labels: [],
  },
  clock_skew_seconds: {
    type: 'gauge',
    help: 'How far the clock of this machine is ahead of the database’s.',
    labels: [],
  },
  agent_clock_skew_seconds: {
    type: 'gauge',
    help: 'How far the clock of a worker’s machine is ahead of that of Redis’ machine.',
    labels: ['agent_id'],
  },
  event_loop_lag_seconds: {
    type: 'gauge',
    help: 'p99 delay of the event loop over the last seconds.',
    labels: [],
  },
} as const satisfies Record<string, MetricRow>;

export type MetricName = keyof typeof metricTable;
type NamesOf<T extends MetricRow['type']> = {
  [N in MetricName]: (typeof metricTable)[N]['type'] extends T ? N : never;
}[MetricName];
type LabelsOf<N extends MetricName> = Record<(typeof metricTable)[N]['labels'][number], string>;

/** The port for metrics. Names carry no prefix here; `dialoglens_` is added where they are printed. */
export interface Metrics {
  count<N extends NamesOf<'counter'>>(name: N, labels: LabelsOf<N>, by?: number): void;
  set<N extends NamesOf<'gauge'>>(name: N, labels: LabelsOf<N>, value: number): void;
  observe<N extends NamesOf<'histogram'>>(name: N, labels: LabelsOf<N>, value: number): void;
}

const nothing = () => undefined;
/** Records nothing. */
export const noMetrics: Metrics = { count: nothing, set: nothing, observe: nothing };
