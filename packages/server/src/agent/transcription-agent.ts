import type { CaptionsView, DemandSettings } from '@dialoglens/protocol';
import { DialogLensError } from '../errors.ts';
import { begins, ends } from '../lifetimes.ts';
import type { Logger } from '../observability/telemetry.ts';
import type { Assignment, TrackMark } from '../registry/agent-registry.ts';
import { LiveFeed } from '../sinks/live-feed.ts';
import { RoomCaptions } from '../sinks/room-captions.ts';
import type { Caption } from '../sinks/sink.ts';
import { StoreWriter } from '../sinks/store-writer.ts';
import type { TrackRecord } from '../store/store.ts';
import type { AgentParts } from './agent-parts.ts';
import type { CaptionStanding } from './caption-watch.ts';
import type { AgentEnd, RoomAgent, RoomAgentHost } from './room-agent.ts';
import type { RoomConnection, RoomEvent } from './room-connection.ts';
import { RoomStanding } from './room-standing.ts';
import { RoomTracks } from './room-tracks.ts';
import { ViewerHistory } from './viewer-history.ts';

/** All finals are out after this long, or the rest is recorded as a gap. */
const flushDeadlineMs = 5_000;
const settleEveryMs = 5_000;
/** Captions that a room does not take in this time are left behind when the agent leaves. */
const lastCaptionsMs = 1_000;
/** A handover is called off when the store has not taken everything in this time. */
const recordWithinMs = 3_000;
const recordIncomplete = `The store did not take the record of the room within ${recordWithinMs} ms, so it is not handed over.`;
/** One that stands by says so after this even if it does not hear every track: some say nothing at all. */
const warmWithinMs = 3_000;
/** A room is given up when LiveKit cannot be reached for this long: another worker may have better luck. */
const cutOffMs = 15_000;
const retryMs = 500;
/** Viewers who came this shortly before a promotion may have been sent the history by nobody. */
const recentViewerMs = 2_000;
/** Ends after which another agent should try: the room may still be there. */
const retryable = new Set(['connection-lost', 'server-shutdown', 'unknown']);

type Plan = 'settling' | 'emptiness' | 'warmth' | 'cut-off';

/** Serves one room: one connection, one AudioProcessor per speaker's track, and the ways captions leave. */
export class TranscriptionAgent implements RoomAgent {
  readonly assignment: Assignment;
  readonly #parts: AgentParts;
  readonly #host: RoomAgentHost;
  readonly #logger: Logger;
  readonly #abort = new AbortController();
  readonly #tracks: RoomTracks;
  readonly #history: ViewerHistory;
  readonly #writer: StoreWriter;
  readonly #live: LiveFeed;
  readonly #standing: RoomStanding;
  #connection: RoomConnection | undefined;
  #captions: RoomCaptions | undefined;
  #away = false;
  /** False as long as the room has another agent, or must not hear this one any more. */
  #speaks: boolean;
  #isWarm = false;
  /** Cancel what is planned. */
  readonly #plans = new Map<Plan, () => void>();
  #early: RoomEvent[] = [];
  #promoting: Promise<void> | null = null;
  #stopping: Promise<void> | null = null;

  constructor(assignment: Assignment, parts: AgentParts, host: RoomAgentHost) {
    const { settings, registry, clock } = parts;
    this.assignment = assignment;
    this.#parts = parts;
    this.#host = host;
    this.#speaks = !assignment.standby;
    this.#logger = parts.logger.child({ session: assignment.sessionId, epoch: assignment.epoch });
    this.#history = new ViewerHistory(settings.captions.replayCount, clock, this.#logger);
    this.#live = new LiveFeed(assignment.room, registry, { ...this.#surroundings, clock });
    this.#standing = this.#makeStanding();
    this.#writer = this.#makeWriter();
    this.#tracks = new RoomTracks({
      parts,
      assignment,
      logger: this.#logger,
      onCaption: (caption) => this.#publish(caption),
      onSpans: (spans) => this.#writer.acceptSpans(spans),
      onStanding: (track, standing) => this.#tellStanding(track, standing),
      onFenced: () => this.#end({ reason: 'fenced', failed: false, superseded: true }),
      onFailure: () => this.#end({ reason: 'track failed', failed: true }),
      onHeard: () => this.#saySoWhenWarm(),
    });
  }

  get tracks(): number {
    return this.#tracks.size;
  }

  get speaking(): string[] {
    return this.#tracks.speaking;
  }

  get captions(): CaptionsView {
    return this.#standing.now;
  }

  async start(): Promise<void> {
    begins('agent', this);
    const { connector, settings } = this.#parts;
    const { url, token, epoch, standby } = this.assignment;
    // History first: a viewer may be waiting in the room when the agent comes in.
    if (!standby) await this.#loadHistory();
    const connection = await connector.connect({
      url,
      token,
      epoch,
      standby,
      screenShareAudio: settings.screenShareAudio,
      signal: this.#abort.signal,
      onEvent: (event) => this.#receive(event),
    });
    // Told to leave while it was joining.
    if (this.#stopping) return connection.close();
    this.#connection = connection;
    this.#tracks.connect(connection);
    this.#captions = new RoomCaptions(connection, settings.captions, this.#surroundings);
    const early = this.#early;
    this.#early = [];
    for (const event of early) this.#handle(event);
    this.#settleLater();
    if (!standby) return;
    this.#plan('warmth', warmWithinMs, () => this.#sayStandingBy());
    this.#saySoWhenWarm();
  }

  configure(settings: DemandSettings): void {
    this.#tracks.configure(settings);
  }

  promote(marks: readonly TrackMark[]): Promise<void> {
    this.#promoting ??= this.#promote(marks);
    return this.#promoting;
  }

  async handOver(): Promise<TrackMark[]> {
    const marks = await this.#tracks.cut();
    const [{ left }] = await Promise.all([
      this.#writer.drain(recordWithinMs),
      this.#captions?.drain(lastCaptionsMs),
      this.#live.drain(),
    ]);
    if (left === 0 && !this.#writer.hasJournaled) return marks;
    throw new DialogLensError('store_unavailable', recordIncomplete, {
      remedy: 'The room stays with this agent. See that PostgreSQL answers within a second.',
    });
  }

  goOn(): void {
    if (!this.#stopping) this.#tracks.goOn();
  }

  resume(): void {
    if (!this.#away) this.#captions?.resume();
    this.#live.resume();
    this.#standing.resume();
    this.#sendHistory();
  }

  stop(reason: string): Promise<void> {
    this.#stopping ??= this.#stop(reason).finally(() => ends('agent', this));
    return this.#stopping;
  }

  abandon(reason: string): Promise<void> {
    this.#speaks = false;
    this.#stopping ??= this.#abandon(reason).finally(() => ends('agent', this));
    return this.#stopping;
  }

  async #promote(marks: readonly TrackMark[]): Promise<void> {
    this.#cancel('warmth');
    const history = this.#loadHistory().catch((thrown: unknown) => {
      this.#logger.warn({ err: thrown }, 'late viewers are not sent what was said before');
    });
    await Promise.all([this.#tracks.serve(marks), this.#showEpoch(), history]);
    if (this.#stopping) return;
    this.#history.forgetOlderThan(recentViewerMs);
    this.#speaks = true;
    this.resume();
  }

  async #stop(reason: string): Promise<void> {
    this.#logger.info({ reason }, 'leaving the room');
    this.#cancelAll();
    await this.#tracks.close(AbortSignal.timeout(flushDeadlineMs));
    await Promise.allSettled([
      this.#captions?.drain(lastCaptionsMs),
      this.#writer.drain(flushDeadlineMs),
      this.#live.drain(),
    ]);
    this.#abort.abort();
    await Promise.allSettled([this.#captions?.close(), this.#writer.close(), this.#live.close()]);
    await this.#leaveRoom();
  }

  async #abandon(reason: string): Promise<void> {
    this.#logger.info({ reason }, 'leaving the room to another agent');
    this.#cancelAll();
    this.#abort.abort();
    await Promise.allSettled([this.#captions?.close(), this.#writer.discard(), this.#live.close()]);
    await Promise.allSettled([this.#tracks.discard(), this.#leaveRoom()]);
  }

  async #leaveRoom(): Promise<void> {
    await this.#connection?.close().catch((thrown: unknown) => {
      this.#logger.warn({ err: thrown }, 'the room connection did not close cleanly');
    });
  }

  #makeWriter(): StoreWriter {
    const { record, journal, metrics } = this.#parts;
    const { room, epoch } = this.assignment;
    return new StoreWriter({
      record,
      tenure: { room, epoch },
      journal,
      metrics,
      logger: this.#logger,
      mayWrite: () => this.#host.mayPublish(),
      onFenced: () => this.#end({ reason: 'fenced', failed: false, superseded: true }),
    });
  }

  #makeStanding(): RoomStanding {
    const { room, sessionId } = this.assignment;
    return new RoomStanding({
      mayPublish: () => this.#connection !== undefined && !this.#away && this.#mayPublish(),
      show: async (captions) => this.#connection?.showCaptions(captions),
      onChange: (captions) =>
        this.#live.tell('captions of the room', { type: 'room-captions', sessionId, room, ...captions }),
      logger: this.#logger,
    });
  }

  /** Of the ways on which captions leave. */
  get #surroundings() {
    return { mayPublish: () => this.#mayPublish(), metrics: this.#parts.metrics, logger: this.#logger };
  }

  #mayPublish(): boolean {
    return this.#speaks && this.#host.mayPublish();
  }

  /** Ends from within: tells the worker, which stops this agent. */
  #end(end: AgentEnd): void {
    if (!this.#stopping) this.#host.ended(end);
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
        this.#history.met(event.identity);
        return this.#sendHistory();
      case 'humans-changed':
        return this.#watchEmptiness(event.count);
      case 'agent-epoch-seen':
        return this.#compareEpoch(event.epoch);
      case 'reconnecting':
        return this.#setAway(true);
      case 'reconnected':
        return this.#setAway(false);
      case 'cut-off':
        return this.#loseTouch(event.silentForMs);
      case 'disconnected':
        this.#tracks.setAway(true);
        return this.#end({ reason: event.reason, failed: retryable.has(event.reason) });
    }
  }

  #compareEpoch(epoch: number): void {
    if (epoch <= this.assignment.epoch) return;
    this.#speaks = false;
    this.#end({ reason: 'newer agent in the room', failed: false, superseded: true });
  }

  #publish(caption: Caption): void {
    this.#history.add(caption.segment);
    this.#captions?.accept(caption);
    this.#writer.accept(caption);
    this.#live.accept(caption);
  }

  /** Viewers are told when captions are late or missing: silence on the screen could mean that nobody speaks. */
  #tellStanding({ trackSid: trackId, identity }: TrackRecord, standing: CaptionStanding): void {
    const { room, sessionId } = this.assignment;
    const { state, reason, retryInMs } = standing;
    if (state === 'ok') this.#logger.info({ track: trackId }, 'captions are as they should be');
    else this.#logger.warn({ track: trackId, state, reason, retryInMs }, 'captions are late or missing');
    const retry = retryInMs === undefined ? {} : { retryAt: this.#parts.clock.nowMs() + retryInMs };
    const captions = { state, reason, ...retry };
    this.#live.tell(`captions of ${trackId}`, {
      type: 'captions',
      ...{ sessionId, room, trackId, identity },
      ...captions,
    });
    this.#standing.set(trackId, captions);
  }

  #setAway(away: boolean): void {
    this.#away = away;
    this.#tracks.setAway(away);
    if (!away) {
      this.#cancel('cut-off');
      this.#standing.forgetShown();
      return this.resume();
    }
    this.#captions?.pause();
    this.#plan('cut-off', cutOffMs, () => this.#end({ reason: 'livekit unreachable', failed: true }));
  }

  /** While the library tries to come back it is left to it; otherwise it has not even noticed. */
  #loseTouch(silentForMs: number): void {
    this.#tracks.lose(silentForMs);
    if (!this.#away) this.#end({ reason: 'livekit unreachable', failed: true });
  }

  async #loadHistory(): Promise<void> {
    const { record, settings } = this.#parts;
    const { sessionId } = this.assignment;
    const recent = await record.recentSegments(sessionId, settings.captions.replayCount);
    for (const segment of recent) this.#history.add(segment);
  }

  /** Whoever comes in while nothing may be said is served when it may. */
  #sendHistory(): void {
    if (this.#captions && !this.#away && this.#mayPublish()) this.#history.send(this.#captions);
  }

  /** While the connection is away nobody can be shown anything: it is tried until somebody can. */
  async #showEpoch(): Promise<void> {
    while (!this.#stopping) {
      try {
        return await this.#connection?.showEpoch();
      } catch (thrown) {
        this.#logger.warn({ err: thrown }, 'the epoch could not be shown');
      }
      await new Promise<void>((resolve) => this.#parts.scheduler.after(retryMs, resolve));
    }
  }

  #saySoWhenWarm(): void {
    if (this.assignment.standby && this.#captions && this.#tracks.areAllHeard) this.#sayStandingBy();
  }

  #sayStandingBy(): void {
    this.#cancel('warmth');
    if (this.#isWarm || this.#stopping) return;
    this.#isWarm = true;
    this.#host.standingBy();
  }

  #settleLater(): void {
    this.#plan('settling', settleEveryMs, () => {
      this.#tracks.settle();
      this.#settleLater();
    });
  }

  #watchEmptiness(humans: number): void {
    this.#cancel('emptiness');
    if (humans > 0) return;
    this.#plan('emptiness', this.#parts.settings.emptyRoomLeaveMs, () =>
      this.#end({ reason: 'room empty', failed: false }),
    );
  }

  #plan(what: Plan, ms: number, work: () => void): void {
    this.#cancel(what);
    this.#plans.set(what, this.#parts.scheduler.after(ms, work));
  }

  #cancel(what: Plan): void {
    this.#plans.get(what)?.();
    this.#plans.delete(what);
  }

  #cancelAll(): void {
    for (const cancel of this.#plans.values()) cancel();
    this.#plans.clear();
  }
}
