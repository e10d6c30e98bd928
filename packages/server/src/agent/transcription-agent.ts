import type { DemandSettings } from '@dialoglens/protocol';
import type { SpeechDetectorFactory } from '../audio/speech-detector.ts';
import type { Clock } from '../clock.ts';
import { newId } from '../ids.ts';
import type { Metrics } from '../observability/metric-table.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { AgentRegistry, Assignment } from '../registry/agent-registry.ts';
import { LiveFeed } from '../sinks/live-feed.ts';
import { type RoomCaptionOptions, RoomCaptions } from '../sinks/room-captions.ts';
import type { Caption } from '../sinks/sink.ts';
import { type BatchJournal, StoreWriter } from '../sinks/store-writer.ts';
import type { RecordStore } from '../store/store.ts';
import type { SttProvider } from '../stt/stt.ts';
import { TranscriptBuffer } from '../transcript/transcript-buffer.ts';
import { AudioProcessor, type SpeechSettings } from './audio-processor.ts';
import type { AgentEnd, RoomAgent } from './room-agent.ts';
import type { RemoteTrack, RoomConnection, RoomConnector, RoomEvent } from './room-connection.ts';
import { SpeakerLimit } from './speaker-limit.ts';

export interface AgentSettings {
  captions: RoomCaptionOptions & { replayCount: number };
  defaultLanguage: string;
  screenShareAudio: boolean;
  /** Leave after the room has held no human for this long. */
  emptyRoomLeaveMs: number;
  /** Speakers transcribed at once where the demand names no number. */
  maxParticipants: number;
  /** Show words while they are being said. */
  wantPartials: boolean;
}

/** What every agent of a worker shares. */
export interface AgentParts {
  connector: RoomConnector;
  record: RecordStore;
  registry: AgentRegistry;
  provider: (name: string | undefined) => SttProvider;
  makeDetector: SpeechDetectorFactory;
  journal: BatchJournal | null;
  settings: AgentSettings;
  clock: Clock;
  metrics: Metrics;
  logger: Logger;
}

/** All finals are out after this long, or the rest is recorded as a gap. */
const flushDeadlineMs = 5_000;
const settleEveryMs = 5_000;
/** Ends after which another agent should try: the room may still be there. */
const retryable = new Set(['connection-lost', 'server-shutdown', 'unknown']);

/** Serves one room: one connection, one AudioProcessor per speaker's track, and the ways captions leave. */
export class TranscriptionAgent implements RoomAgent {
  readonly assignment: Assignment;
  readonly #parts: AgentParts;
  readonly #onEnd: (end: AgentEnd) => void;
  readonly #logger: Logger;
  readonly #abort = new AbortController();
  readonly #tracks = new Map<string, { processor: AudioProcessor; close: () => Promise<void> }>();
  /** Tracks are opened and closed one after the other, so that a track that comes and goes at once is not half open. */
  readonly #trackWork = new Map<string, Promise<void>>();
  readonly #muted = new Map<string, boolean>();
  readonly #speakers: SpeakerLimit;
  /** Those of the assignment, or what replaced them since. */
  #settings: DemandSettings;
  /** Viewers who have not been sent the history yet. */
  readonly #unmet = new Set<string>();
  #away = false;
  readonly #buffer: TranscriptBuffer;
  readonly #writer: StoreWriter;
  readonly #live: LiveFeed;
  #connection: RoomConnection | undefined;
  #captions: RoomCaptions | undefined;
  #settleTimer: NodeJS.Timeout | undefined;
  #emptyTimer: NodeJS.Timeout | undefined;
  #early: RoomEvent[] = [];
  #stopping: Promise<void> | null = null;

  constructor(assignment: Assignment, parts: AgentParts, onEnd: (end: AgentEnd) => void) {
    const { settings, metrics } = parts;
    this.assignment = assignment;
    this.#settings = assignment.settings;
    this.#speakers = new SpeakerLimit(assignment.settings.maxParticipants ?? settings.maxParticipants);
    this.#parts = parts;
    this.#onEnd = onEnd;
    this.#logger = parts.logger.child({ session: assignment.sessionId, epoch: assignment.epoch });
    this.#buffer = new TranscriptBuffer(settings.captions.replayCount);
    this.#live = new LiveFeed(parts.registry, this.#logger);
    this.#writer = new StoreWriter({
      record: parts.record,
      tenure: { room: assignment.room, epoch: assignment.epoch },
      journal: parts.journal,
      metrics,
      logger: this.#logger,
      onFenced: () => this.#end({ reason: 'fenced', failed: false }),
    });
  }

  /** Joins the room. @throws DialogLensError when it cannot be joined. */
  async start(): Promise<void> {
    const { connector, settings, record, metrics } = this.#parts;
    const { url, token, epoch, sessionId } = this.assignment;
    // History first: a viewer may be waiting in the room when the agent comes in.
    for (const segment of await record.recentSegments(sessionId, settings.captions.replayCount)) {
      this.#buffer.add(segment);
    }
    const connection = await connector.connect({
      url,
      token,
      epoch,
      screenShareAudio: settings.screenShareAudio,
      signal: this.#abort.signal,
      onEvent: (event) => this.#receive(event),
    });
    this.#connection = connection;
    this.#captions = new RoomCaptions(connection, settings.captions, { metrics, logger: this.#logger });
    if (this.#abort.signal.aborted) return;
    const early = this.#early;
    this.#early = [];
    for (const event of early) this.#handle(event, connection);
    this.#settleTimer = setInterval(() => {
      for (const { processor } of this.#tracks.values()) processor.settle();
    }, settleEveryMs);
  }

  /** Takes other settings; each speaker goes on with them from their next pause. Idempotent. */
  configure(settings: DemandSettings): void {
    if (this.#stopping) return;
    // Refuses an engine nobody has here before anything changes.
    const speech = this.#speechOf(settings);
    this.#settings = settings;
    for (const { processor } of this.#tracks.values()) processor.configure(speech);
    const most = settings.maxParticipants ?? this.#parts.settings.maxParticipants;
    this.#openAll(this.#speakers.setMost(most));
  }

  /** Flushes every final (at most 5 s), leaves the room and frees everything. Idempotent. */
  stop(reason: string): Promise<void> {
    this.#stopping ??= this.#stop(reason);
    return this.#stopping;
  }

  async #stop(reason: string): Promise<void> {
    this.#logger.info({ reason }, 'leaving the room');
    clearInterval(this.#settleTimer);
    clearTimeout(this.#emptyTimer);
    await Promise.allSettled(this.#trackWork.values());
    const deadline = AbortSignal.timeout(flushDeadlineMs);
    const closing = [...this.#tracks.keys()].map((sid) => this.#closeTrack(sid, deadline));
    await Promise.allSettled(closing);
    await Promise.allSettled([
      this.#captions?.drain(1_000),
      this.#writer.drain(flushDeadlineMs),
      this.#live.drain(),
    ]);
    this.#abort.abort();
    await Promise.allSettled([this.#captions?.close(), this.#writer.close(), this.#live.close()]);
    await this.#connection?.close().catch((thrown: unknown) => {
      this.#logger.warn({ err: thrown }, 'the room connection did not close cleanly');
    });
  }

  /** Ends from within: tells the worker, which stops this agent. */
  #end(end: AgentEnd): void {
    if (!this.#stopping) this.#onEnd(end);
  }

  #receive(event: RoomEvent): void {
    if (this.#stopping) return;
    if (this.#connection && this.#captions) this.#handle(event, this.#connection);
    else this.#early.push(event);
  }

  #handle(event: RoomEvent, connection: RoomConnection): void {
    switch (event.type) {
      case 'track-available':
        return this.#queueTrack(event.track.sid, () => this.#openTrack(event.track, connection));
      case 'track-gone':
        return this.#queueTrack(event.sid, () =>
          this.#closeTrack(event.sid, AbortSignal.timeout(flushDeadlineMs)),
        );
      case 'track-muted':
        this.#muted.set(event.sid, event.muted);
        return this.#tracks.get(event.sid)?.processor.setMuted(event.muted);
      case 'viewer-joined':
        this.#unmet.add(event.identity);
        return this.#replayHistory();
      case 'humans-changed':
        return this.#watchEmptiness(event.count);
      case 'agent-epoch-seen':
        if (event.epoch > this.assignment.epoch)
          this.#end({ reason: 'newer agent in the room', failed: false });
        return;
      case 'reconnecting':
        return this.#setAway(true);
      case 'reconnected':
        return this.#setAway(false);
      case 'disconnected':
        return this.#end({ reason: event.reason, failed: retryable.has(event.reason) });
    }
  }

  #queueTrack(sid: string, work: () => Promise<void>): void {
    const before = this.#trackWork.get(sid) ?? Promise.resolve();
    const next = before.then(work).catch((thrown: unknown) => {
      this.#logger.error({ err: thrown }, 'a track could not be served');
      this.#end({ reason: 'track failed', failed: true });
    });
    this.#trackWork.set(sid, next);
    void next.then(() => {
      if (this.#trackWork.get(sid) === next) this.#trackWork.delete(sid);
    });
  }

  #openAll(tracks: readonly RemoteTrack[]): void {
    const connection = this.#connection;
    if (!connection) return;
    for (const track of tracks) this.#queueTrack(track.sid, () => this.#openTrack(track, connection));
  }

  async #openTrack(track: RemoteTrack, connection: RoomConnection): Promise<void> {
    const { record, makeDetector, settings, clock, metrics } = this.#parts;
    const { room, sessionId, epoch } = this.assignment;
    if (this.#stopping || this.#tracks.has(track.sid)) return;
    if (!this.#speakers.admit(track)) {
      this.#logger.info({ speakers: this.#tracks.size }, 'a speaker waits: maxParticipants is reached');
      return;
    }
    const stored = await record.openTrack(
      { room, epoch },
      {
        sessionId,
        trackSid: track.sid,
        identity: track.identity,
        name: track.name,
        anchorAt: clock.nowMs(),
      },
    );
    if (!stored) return this.#end({ reason: 'fenced', failed: false });
    const processor = new AudioProcessor({
      // The store may have had to clean the names; viewers know their people as LiveKit does.
      track: { ...stored, identity: track.identity, name: track.name },
      room,
      speech: this.#speechOf(this.#settings),
      detector: makeDetector(),
      wantPartials: settings.wantPartials,
      muted: this.#muted.get(track.sid) ?? track.muted,
      clock,
      makeSegmentId: () => newId('seg', clock.nowMs()),
      metrics,
      logger: this.#logger,
      onCaption: (caption) => this.#publish(caption),
      onSpans: (spans) => this.#writer.acceptSpans(spans.map((span) => ({ trackId: stored.id, ...span }))),
    });
    const close = await connection.listen(track.sid, (pcm) => processor.accept(pcm));
    this.#tracks.set(track.sid, { processor, close });
    // They may have changed while the track was being opened.
    processor.configure(this.#speechOf(this.#settings));
  }

  /** @throws DialogLensError `unknown_provider` */
  #speechOf({ language, hints, provider }: DemandSettings): SpeechSettings {
    return {
      language: language ?? this.#parts.settings.defaultLanguage,
      hints: hints ?? [],
      provider: this.#parts.provider(provider),
    };
  }

  async #closeTrack(sid: string, deadline: AbortSignal): Promise<void> {
    const track = this.#tracks.get(sid);
    this.#tracks.delete(sid);
    this.#muted.delete(sid);
    const next = this.#speakers.leave(sid);
    if (!this.#stopping) this.#openAll(next);
    if (!track) return;
    await track.close();
    await track.processor.finish(deadline);
  }

  #publish(caption: Caption): void {
    this.#buffer.add(caption.segment);
    this.#captions?.accept(caption);
    this.#writer.accept(caption);
    this.#live.accept(caption);
  }

  #setAway(away: boolean): void {
    this.#away = away;
    for (const { processor } of this.#tracks.values()) processor.setDisconnected(away);
    if (away) return this.#captions?.pause();
    this.#captions?.resume();
    this.#replayHistory();
  }

  /** Whoever comes in while the connection is away is served when it is back. */
  #replayHistory(): void {
    if (this.#away) return;
    for (const identity of this.#unmet) this.#replay(identity);
    this.#unmet.clear();
  }

  #replay(identity: string): void {
    const history = [...this.#buffer.recent()];
    if (history.length === 0) return;
    this.#captions?.replay(identity, history).catch((thrown: unknown) => {
      this.#logger.debug({ err: thrown }, 'a late viewer left before the history was sent');
    });
  }

  #watchEmptiness(humans: number): void {
    clearTimeout(this.#emptyTimer);
    if (humans > 0) return;
    this.#emptyTimer = setTimeout(
      () => this.#end({ reason: 'room empty', failed: false }),
      this.#parts.settings.emptyRoomLeaveMs,
    );
  }
}
