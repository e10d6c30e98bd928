import type { DemandSettings } from '@dialoglens/protocol';
import { begins, ends } from '../lifetimes.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { Assignment } from '../registry/agent-registry.ts';
import { LiveFeed } from '../sinks/live-feed.ts';
import { RoomCaptions } from '../sinks/room-captions.ts';
import type { Caption } from '../sinks/sink.ts';
import { StoreWriter } from '../sinks/store-writer.ts';
import { TranscriptBuffer } from '../transcript/transcript-buffer.ts';
import type { AgentParts } from './agent-parts.ts';
import type { AgentEnd, RoomAgent } from './room-agent.ts';
import type { RoomConnection, RoomEvent } from './room-connection.ts';
import { RoomTracks } from './room-tracks.ts';

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
  readonly #tracks: RoomTracks;
  /** Viewers who have not been sent the history yet. */
  readonly #unmet = new Set<string>();
  #away = false;
  readonly #buffer: TranscriptBuffer;
  readonly #writer: StoreWriter;
  readonly #live: LiveFeed;
  #connection: RoomConnection | undefined;
  #captions: RoomCaptions | undefined;
  /** Cancel what is planned. */
  #cancelSettling: () => void = () => undefined;
  #cancelEmptiness: () => void = () => undefined;
  #early: RoomEvent[] = [];
  #stopping: Promise<void> | null = null;

  constructor(assignment: Assignment, parts: AgentParts, onEnd: (end: AgentEnd) => void) {
    const { settings, metrics } = parts;
    this.assignment = assignment;
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
    this.#tracks = new RoomTracks({
      parts,
      assignment,
      logger: this.#logger,
      onCaption: (caption) => this.#publish(caption),
      onSpans: (spans) => this.#writer.acceptSpans(spans),
      onFenced: () => this.#end({ reason: 'fenced', failed: false }),
      onFailure: () => this.#end({ reason: 'track failed', failed: true }),
    });
  }

  /** Joins the room. @throws DialogLensError when it cannot be joined. */
  async start(): Promise<void> {
    begins('agent', this);
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
    // Told to leave while it was joining.
    if (this.#stopping) return connection.close();
    this.#connection = connection;
    this.#tracks.connect(connection);
    this.#captions = new RoomCaptions(connection, settings.captions, { metrics, logger: this.#logger });
    const early = this.#early;
    this.#early = [];
    for (const event of early) this.#handle(event);
    this.#settleLater();
  }

  /** Takes other settings; each speaker goes on with them from their next pause. Idempotent. */
  configure(settings: DemandSettings): void {
    this.#tracks.configure(settings);
  }

  /** Flushes every final (at most 5 s), leaves the room and frees everything. Idempotent. */
  stop(reason: string): Promise<void> {
    this.#stopping ??= this.#stop(reason).finally(() => ends('agent', this));
    return this.#stopping;
  }

  async #stop(reason: string): Promise<void> {
    this.#logger.info({ reason }, 'leaving the room');
    this.#cancelSettling();
    this.#cancelEmptiness();
    await this.#tracks.close(AbortSignal.timeout(flushDeadlineMs));
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
    if (this.#captions) this.#handle(event);
    else this.#early.push(event);
  }

  #handle(event: RoomEvent): void {
    switch (event.type) {
      case 'track-available':
        return this.#tracks.add(event.track);
      case 'track-gone':
        return this.#tracks.remove(event.sid, AbortSignal.timeout(flushDeadlineMs));
      case 'track-muted':
        return this.#tracks.setMuted(event.sid, event.muted);
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

  #settleLater(): void {
    this.#cancelSettling = this.#parts.scheduler.after(settleEveryMs, () => {
      this.#tracks.settle();
      this.#settleLater();
    });
  }

  #publish(caption: Caption): void {
    this.#buffer.add(caption.segment);
    this.#captions?.accept(caption);
    this.#writer.accept(caption);
    this.#live.accept(caption);
  }

  #setAway(away: boolean): void {
    this.#away = away;
    this.#tracks.setAway(away);
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
    this.#cancelEmptiness();
    if (humans > 0) return;
    const { scheduler, settings } = this.#parts;
    this.#cancelEmptiness = scheduler.after(settings.emptyRoomLeaveMs, () =>
      this.#end({ reason: 'room empty', failed: false }),
    );
  }
}
